-- In: {org_id, id, customer_id, reason or null}. Out: {}. Runs as owner, after visit_lock.sql.
with canceled as (
  update public.work_orders w
  set status = 'canceled', canceled_at = clock_timestamp(), cancel_reason = $1 ->> 'reason'
  where w.org_id = ($1 ->> 'org_id')::uuid and w.id = ($1 ->> 'id')::uuid
  returning w.id
), told as (
  update public.portal_booking_requests b
  set status = 'canceled_by_customer', canceled_at = clock_timestamp(), cancel_reason = $1 ->> 'reason'
  from canceled c
  where b.org_id = ($1 ->> 'org_id')::uuid and b.customer_id = ($1 ->> 'customer_id')::uuid and b.related_work_order_id = c.id
)
select '{}'::jsonb from canceled
