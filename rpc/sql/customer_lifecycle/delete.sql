-- In: {org_id, id}. Out: {deleted: true, id}, or null.
delete from public.customers c
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
returning jsonb_build_object('deleted', true, 'id', c.id)
