-- In: {org_id, id}. Out: the row; null if the caller does not see it.
select to_jsonb(l) from public.leads l
where l.org_id = ($1 ->> 'org_id')::uuid and l.id = ($1 ->> 'id')::uuid
