-- {…, id}, behind scope.sql. Out: {status, eta, updated_at}, or null: no such visit, or not the caller's.
select jsonb_build_object('status', p.status, 'eta', p.eta, 'updated_at', p.updated_at)
from public.portal_appointments p
join scope s on s.customer_id = p.customer_id and (s.whole or p.location_id = any (s.locations))
where p.org_id = ($1 ->> 'org_id')::uuid and p.work_order_id = ($1 ->> 'id')::uuid
