-- In: {org_id, id}. Out: the rule, null where there is none. Two patches of one rule take turns.
select to_jsonb(r) from public.crm_automation_rules r
where r.org_id = ($1 ->> 'org_id')::uuid and r.id = ($1 ->> 'id')::uuid
for no key update
