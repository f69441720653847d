-- In: {org_id, portal_account_id, customer_id, location_id, service_type, hold_id or null, row, dedupe_key or null}. Out: the id of the request; the hold is
-- its from now on and does not run out. Runs as owner, after hold_lock.sql or with a hold of its own.
with made as (
  insert into public.portal_booking_requests (org_id, portal_account_id, customer_id, location_id, service_type, problem_description,
    preferred_service_date, preferred_time_window_start, preferred_time_window_end, flexible_date, attachments, source_channel,
    starts_at, ends_at, technician_id, dedupe_key)
  select ($1 ->> 'org_id')::uuid, ($1 ->> 'portal_account_id')::uuid, ($1 ->> 'customer_id')::uuid, ($1 ->> 'location_id')::uuid,
    $1 ->> 'service_type', r.problem_description, r.preferred_service_date, r.preferred_time_window_start,
    r.preferred_time_window_end, r.flexible_date, nullif(r.attachments, 'null'), r.source_channel, h.starts_at, h.ends_at, h.technician_id, $1 ->> 'dedupe_key'
  from jsonb_to_record($1 -> 'row') as r (problem_description text, preferred_service_date date, preferred_time_window_start time,
    preferred_time_window_end time, flexible_date boolean, attachments jsonb, source_channel public.portal_booking_source)
  left join public.portal_booking_holds h on h.org_id = ($1 ->> 'org_id')::uuid and h.id = ($1 ->> 'hold_id')::uuid
  returning id, org_id
), kept as (
  update public.portal_booking_holds h set booking_request_id = m.id, expires_at = null
  from made m where h.org_id = m.org_id and h.id = ($1 ->> 'hold_id')::uuid
)
select to_jsonb(m.id) from made m
