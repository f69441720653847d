-- In: {org_id, technician_id}. Out: how many holds of the technician had run out and are gone. One that is being booked at this
-- moment stays: it is in the way. Runs as owner, under the technician's lock.
with gone as materialized (
  select h.id from public.portal_booking_holds h
  where h.org_id = ($1 ->> 'org_id')::uuid and h.technician_id = ($1 ->> 'technician_id')::uuid and h.expires_at <= clock_timestamp()
  for update skip locked
), deleted as (
  delete from public.portal_booking_holds h using gone g where h.org_id = ($1 ->> 'org_id')::uuid and h.id = g.id
  returning 1
)
select to_jsonb(count(*)) from deleted
