-- In: {org_id, id, scope or null for staff}. Out: {status, related_work_order_id}, or null. Runs as owner.
select jsonb_build_object('status', b.status, 'related_work_order_id', b.related_work_order_id)
from public.portal_booking_requests b
where b.org_id = ($1 ->> 'org_id')::uuid and b.id = ($1 ->> 'id')::uuid
  and (jsonb_typeof($1 -> 'scope') is distinct from 'array' or exists (
    select from jsonb_to_recordset($1 -> 'scope') as a (customer_id uuid, location_id uuid)
    where a.customer_id = b.customer_id and (a.location_id is null or a.location_id = b.location_id)))
for update
