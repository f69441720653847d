-- In: {org_id, id, technician_id or null}. Out: {id, customer_id}, or null: no such thread, or not of a visit of that technician.
select jsonb_build_object('id', t.id, 'customer_id', t.customer_id)
from public.portal_threads t
where t.org_id = ($1 ->> 'org_id')::uuid and t.id = ($1 ->> 'id')::uuid
  and ($1 ->> 'technician_id' is null or exists (select from public.work_orders w
    where w.org_id = t.org_id and w.id = t.related_work_order_id and w.technician_id = ($1 ->> 'technician_id')::uuid))
