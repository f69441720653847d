-- In: {org_id, service_type}. Out: how many holds that ran out had a unit of the type's capacity and are gone; those of a technician go
-- with fieldcrm.book_technician(). One that is being booked at this moment stays: it is in the way. Runs as owner, after
-- lock_technician.sql.
with gone as materialized (
  select h.id from public.service_types s
  join public.portal_booking_holds h on h.org_id = s.org_id and h.service_type_id = s.id
  where s.org_id = ($1 ->> 'org_id')::uuid and s.code = $1 ->> 'service_type' and h.unit is not null
    and h.expires_at <= clock_timestamp()
  for update of h skip locked
), deleted as (
  delete from public.portal_booking_holds h using gone g where h.org_id = ($1 ->> 'org_id')::uuid and h.id = g.id
  returning 1
)
select to_jsonb(count(*)) from deleted
