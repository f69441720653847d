-- In: {org_id, id}. Out: the row, locked; null if there is none.
select to_jsonb(c) from public.org_channels c
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
for update
