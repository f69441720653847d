-- In: {org_id or null for all, batch_limit}. Out: how many slots that requests kept are free because their time is over: somebody
-- looks at these requests. First the request, then its hold, as whoever decides it; nobody is waited for. For sessions that bypass RLS.
with late as materialized (
  select h.id as hold_id, b.id, b.org_id from public.portal_booking_holds h
  join public.portal_booking_requests b on b.org_id = h.org_id and b.id = h.booking_request_id
  where h.starts_at <= clock_timestamp() and ($1 ->> 'org_id' is null or h.org_id = ($1 ->> 'org_id')::uuid)
  order by h.starts_at
  limit ($1 ->> 'batch_limit')::bigint
  for update of b, h skip locked
), given as (
  update public.portal_booking_requests b set status = 'under_review'
  from late l where b.org_id = l.org_id and b.id = l.id and b.status in ('submitted', 'approved')
), deleted as (
  delete from public.portal_booking_holds h using late l where h.org_id = l.org_id and h.id = l.hold_id
  returning 1
)
select to_jsonb(count(*)) from deleted
