-- In: {org_id, portal_account_id, customer_id, location_id, service_type_id, technician_id, starts_at, ends_at (seconds since 1970),
-- buffer_minutes, unit, minutes}. Out: the hold {id, service_type, location_id, starts_at, ends_at, expires_at}. Runs as owner.
with made as (
  insert into public.portal_booking_holds (org_id, portal_account_id, customer_id, location_id, service_type_id, technician_id,
    starts_at, ends_at, buffer_minutes, unit, expires_at)
  select x.org_id, x.portal_account_id, x.customer_id, x.location_id, x.service_type_id, x.technician_id,
    to_timestamp(x.starts_at), to_timestamp(x.ends_at), x.buffer_minutes, x.unit, clock_timestamp() + make_interval(mins => x.minutes)
  from jsonb_to_record($1) as x (org_id uuid, portal_account_id uuid, customer_id uuid, location_id uuid, service_type_id uuid,
    technician_id uuid, starts_at float8, ends_at float8, buffer_minutes integer, unit smallint, minutes integer)
  returning *
)
select jsonb_build_object('id', m.id, 'service_type', s.code, 'location_id', m.location_id, 'starts_at', m.starts_at,
  'ends_at', m.ends_at, 'expires_at', m.expires_at)
from made m join public.service_types s on s.org_id = m.org_id and s.id = m.service_type_id
