-- In: {org_id, customer_id, related_work_order_id, location_id, technician_id or null}. Out: {customer, work_order, location}: whether each is
-- of that customer, the visit also of the technician; null if there is no such customer, or a technician has no visit there.
select jsonb_build_object('customer', true,
  'work_order', exists (select from public.work_orders w
    where w.org_id = c.org_id and w.customer_id = c.id and w.id = ($1 ->> 'related_work_order_id')::uuid
      and ($1 ->> 'technician_id' is null or w.technician_id = ($1 ->> 'technician_id')::uuid)),
  'location', exists (select from public.customer_locations l
    where l.org_id = c.org_id and l.customer_id = c.id and l.id = ($1 ->> 'location_id')::uuid))
from public.customers c
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'customer_id')::uuid
  and ($1 ->> 'technician_id' is null or exists (select from public.work_orders w
    where w.org_id = c.org_id and w.customer_id = c.id and w.technician_id = ($1 ->> 'technician_id')::uuid))
