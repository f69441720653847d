-- In: {org_id, id, customer_id}. Out: the row.
update public.leads l set customer_id = ($1 ->> 'customer_id')::uuid, status = 'converted'
where l.org_id = ($1 ->> 'org_id')::uuid and l.id = ($1 ->> 'id')::uuid
returning to_jsonb(l)
