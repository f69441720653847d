-- In: {org_id, id}. Out: the rule, or null.
select to_jsonb(r) from public.crm_automation_rules r
where r.org_id = ($1 ->> 'org_id')::uuid and r.id = ($1 ->> 'id')::uuid
