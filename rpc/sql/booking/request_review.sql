-- In: {org_id, id, status, note or null to keep it, user_id, frees: whether the slot is free again}. Out: the request with all its
-- columns. Runs as owner, after request_lock.sql.
with freed as (
  delete from public.portal_booking_holds h
  where h.org_id = ($1 ->> 'org_id')::uuid and h.booking_request_id = ($1 ->> 'id')::uuid and ($1 ->> 'frees')::boolean
)
update public.portal_booking_requests b
set status = ($1 ->> 'status')::public.portal_booking_status, review_note = coalesce($1 ->> 'note', b.review_note),
  reviewed_by_user_id = ($1 ->> 'user_id')::uuid, reviewed_at = clock_timestamp()
where b.org_id = ($1 ->> 'org_id')::uuid and b.id = ($1 ->> 'id')::uuid
returning to_jsonb(b)
