-- In: {org_id or null for all, batch_limit}. Out: how many holds that ran out are gone. For sessions that bypass RLS.
with gone as materialized (
  select h.id, h.org_id from public.portal_booking_holds h
  where h.expires_at <= clock_timestamp() and ($1 ->> 'org_id' is null or h.org_id = ($1 ->> 'org_id')::uuid)
  order by h.expires_at
  limit ($1 ->> 'batch_limit')::bigint
  for update skip locked
), deleted as (
  delete from public.portal_booking_holds h using gone g where h.org_id = g.org_id and h.id = g.id
  returning 1
)
select to_jsonb(count(*)) from deleted
