-- In: {org_id, id}. Out: the run, or null.
select to_jsonb(a) from public.crm_automation_runs a
where a.org_id = ($1 ->> 'org_id')::uuid and a.id = ($1 ->> 'id')::uuid
