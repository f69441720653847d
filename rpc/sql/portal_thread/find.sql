-- {…, id}, behind appointment/scope.sql. Out: {id, customer_id}, or null: no such thread, or not the caller's.
select jsonb_build_object('id', t.id, 'customer_id', t.customer_id)
from public.portal_threads t
join scope s on s.customer_id = t.customer_id and (s.whole or t.location_id = any (s.locations))
where t.org_id = ($1 ->> 'org_id')::uuid and t.id = ($1 ->> 'id')::uuid
