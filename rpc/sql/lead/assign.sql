-- In: {org_id, id, user_id}. Out: the row.
update public.leads l set assigned_to = ($1 ->> 'user_id')::uuid
where l.org_id = ($1 ->> 'org_id')::uuid and l.id = ($1 ->> 'id')::uuid
returning to_jsonb(l)
