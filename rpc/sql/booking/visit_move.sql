-- In: {org_id, id, technician_id, starts_at, ends_at (seconds since 1970), buffer_minutes}. Out: {}. The request that it came of tells
-- the same time. Runs as owner, after visit_lock.sql.
with moved as (
  update public.work_orders w
  set technician_id = ($1 ->> 'technician_id')::uuid, window_start = to_timestamp(($1 ->> 'starts_at')::float8),
    window_end = to_timestamp(($1 ->> 'ends_at')::float8), buffer_minutes = ($1 ->> 'buffer_minutes')::integer,
    reschedule_count = w.reschedule_count + 1
  where w.org_id = ($1 ->> 'org_id')::uuid and w.id = ($1 ->> 'id')::uuid
  returning w.*
), told as (
  update public.portal_booking_requests b set starts_at = m.window_start, ends_at = m.window_end, technician_id = m.technician_id
  from moved m where b.org_id = m.org_id and b.customer_id = m.customer_id and b.related_work_order_id = m.id
)
select '{}'::jsonb from moved
