-- In: {org_id, id, technician_id, starts_at, ends_at (seconds since 1970), user_id or null}. Out: the work order with all its columns;
-- the request is scheduled. Runs as owner.
with made as (
  insert into public.work_orders (org_id, customer_id, location_id, technician_id, service_type, title, description, window_start,
    window_end, buffer_minutes, created_by_user_id)
  select b.org_id, b.customer_id, b.location_id, ($1 ->> 'technician_id')::uuid, b.service_type, s.name, b.problem_description,
    to_timestamp(($1 ->> 'starts_at')::float8), to_timestamp(($1 ->> 'ends_at')::float8), s.buffer_minutes, ($1 ->> 'user_id')::uuid
  from public.portal_booking_requests b
  join public.service_types s on s.org_id = b.org_id and s.code = b.service_type
  where b.org_id = ($1 ->> 'org_id')::uuid and b.id = ($1 ->> 'id')::uuid
  returning *
), scheduled as (
  update public.portal_booking_requests b
  set status = 'scheduled', related_work_order_id = m.id, starts_at = m.window_start, ends_at = m.window_end,
    technician_id = m.technician_id, reviewed_at = coalesce(b.reviewed_at, clock_timestamp()),
    reviewed_by_user_id = coalesce(($1 ->> 'user_id')::uuid, b.reviewed_by_user_id)
  from made m where b.org_id = m.org_id and b.id = ($1 ->> 'id')::uuid
)
select to_jsonb(m) from made m
