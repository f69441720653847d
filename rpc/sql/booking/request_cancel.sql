-- In: {org_id, id, reason or null}. Out: {}. The slot is free again. Runs as owner, after request_lock.sql.
with freed as (
  delete from public.portal_booking_holds h
  where h.org_id = ($1 ->> 'org_id')::uuid and h.booking_request_id = ($1 ->> 'id')::uuid
)
update public.portal_booking_requests b
set status = 'canceled_by_customer', canceled_at = clock_timestamp(), cancel_reason = $1 ->> 'reason'
where b.org_id = ($1 ->> 'org_id')::uuid and b.id = ($1 ->> 'id')::uuid
returning '{}'::jsonb
