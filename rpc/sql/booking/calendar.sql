-- In: {org_id, scope (what the account sees) or null for staff, service_type, location_id, first_day, last_day or nulls, at (seconds
-- since 1970) for the day of one time, technician_id, ignore_work_order_id, ignore_hold_id: all of them or null}.
-- Out: {time_zone, service, location, hold_minutes, auto_schedule, travel_speed_kmh, calendar}; calendar as core's Calendar reads it,
-- null where the service or the location is. Runs as owner.
-- Visits are thousands: they come packed, 16 bytes each, and not as JSON. The order is core's to make. The limits of one row tell the
-- planner what it does not see: a plan that looks expensive would be compiled, for seconds.
with frame as materialized (
  select o.id as org_id, o.time_zone, g.*, s.*, d.*, a.today + s.horizon_days as horizon,
    -- A day more on either side: what is next to a slot may be on another day.
    tstzrange((d.first_day - 1)::timestamp at time zone o.time_zone, (greatest(d.first_day, d.last_day) + 2)::timestamp at time zone o.time_zone) as span
  from (select jsonb_typeof($1 -> 'scope') is distinct from 'array' as staff, clock_timestamp() as at,
      ($1 ->> 'technician_id')::uuid as technician_id, ($1 ->> 'ignore_hold_id')::uuid as hold_id,
      ($1 ->> 'ignore_work_order_id')::uuid as work_order_id) g
  join public.orgs o on o.id = ($1 ->> 'org_id')::uuid
  cross join lateral (
    select coalesce(max(s.hold_minutes), 10) as hold_minutes, coalesce(max(s.min_notice_minutes), 120) as min_notice_minutes,
      coalesce(max(s.horizon_days), 60) as horizon_days, coalesce(max(s.slot_minutes), 30) as slot_minutes,
      coalesce(max(s.travel_speed_kmh), 40) as travel_speed_kmh, coalesce(bool_or(s.auto_schedule), false) as auto_schedule
    from public.portal_settings s where s.org_id = o.id) s
  cross join lateral (select (g.at at time zone o.time_zone)::date as today) a
  cross join lateral (select greatest(a.today, coalesce(($1 ->> 'first_day')::date,
    (to_timestamp(($1 ->> 'at')::float8) at time zone o.time_zone)::date, a.today)) as first_day) f
  cross join lateral (select f.first_day, least(f.first_day + 61, case when not g.staff then a.today + s.horizon_days end,
    coalesce(($1 ->> 'last_day')::date, case when $1 ->> 'at' is not null then f.first_day end, f.first_day + 13)) as last_day) d
  limit 1
), service as materialized (
  select s.* from frame f join public.service_types s on s.org_id = f.org_id and s.code = $1 ->> 'service_type' and (f.staff or s.is_bookable)
  limit 1
), place as materialized (
  select l.* from frame f join public.customer_locations l on l.org_id = f.org_id and l.id = ($1 ->> 'location_id')::uuid
  where f.staff or exists (
    select from jsonb_to_recordset($1 -> 'scope') as a (customer_id uuid, location_id uuid)
    where a.customer_id = l.customer_id and (a.location_id is null or a.location_id = l.id))
  limit 1
), able as materialized (
  select p.id
  from frame f join service s on true
  join public.technician_skills k on k.org_id = f.org_id and k.service_type_id = s.id
  join public.profiles p on p.org_id = k.org_id and p.id = k.technician_id and p.status = 'active'
  where f.technician_id is null or p.id = f.technician_id
), gone as materialized (
  select h.id from frame f join public.portal_booking_holds h on h.org_id = f.org_id
  where h.expires_at <= f.at or h.id = f.hold_id
), technicians as materialized (
  select json_build_object('id', a.id,
    -- What began earlier than that is over: visits last 31 days and their buffer at most.
    'visits', (select encode(string_agg(r.packed, ''::bytea), 'base64') from fieldcrm.reservations r
      where r.org_id = f.org_id and r.technician_id = a.id
        and r.starts_at > lower(f.span) - interval '32 days' and r.starts_at < upper(f.span)
        and (r.hold_id is null or r.hold_id not in (select x.id from gone x))
        and (r.work_order_id is null or r.work_order_id is distinct from f.work_order_id)),
    'hours', (select coalesce(json_agg(json_build_array(h.weekday, date_part('epoch', h.start_time), date_part('epoch', h.end_time))), '[]'::json)
      from public.technician_hours h where h.org_id = f.org_id and h.technician_id = a.id),
    'time_off', (select coalesce(json_agg(json_build_array(floor(date_part('epoch', t.starts_at)), ceil(date_part('epoch', t.ends_at)))), '[]'::json)
      from public.technician_time_off t where t.org_id = f.org_id and t.technician_id = a.id
        and t.ends_at > lower(f.span) and t.starts_at < upper(f.span)),
    'areas', (select coalesce(json_agg(json_strip_nulls(json_build_object('country', x.country, 'postal_code_prefix', x.postal_code_prefix,
        'latitude', x.latitude, 'longitude', x.longitude, 'radius_km', x.radius_km))), '[]'::json)
      from public.technician_areas x where x.org_id = f.org_id and x.technician_id = a.id)) as technician
  from frame f, able a
)
select json_build_object('time_zone', f.time_zone, 'hold_minutes', f.hold_minutes, 'auto_schedule', f.auto_schedule,
  'travel_speed_kmh', f.travel_speed_kmh,
  'service', (select json_build_object('id', s.id, 'code', s.code, 'duration_minutes', s.duration_minutes,
    'buffer_minutes', s.buffer_minutes) from service s),
  'location', (select json_build_object('id', l.id, 'customer_id', l.customer_id) from place l),
  'calendar', (
    select json_build_object('time_zone', f.time_zone, 'first_day', f.first_day, 'last_day', f.last_day, 'slot_minutes', f.slot_minutes,
      'earliest', ceil(date_part('epoch', f.at)) + case when f.staff then 0 else f.min_notice_minutes * 60 end,
      'service', json_build_object('duration_minutes', s.duration_minutes, 'buffer_minutes', s.buffer_minutes, 'capacity', s.capacity),
      'place', json_build_object('country', l.country, 'postal_code', l.postal_code, 'latitude', l.latitude, 'longitude', l.longitude),
      'blackout_days', (select coalesce(json_agg(b.day), '[]'::json) from public.blackout_days b
        where b.org_id = f.org_id and b.day between f.first_day and f.last_day),
      'technicians', (select coalesce(json_agg(t.technician), '[]'::json) from technicians t),
      'taken', case when s.capacity is null then '[]'::json else (
        select coalesce(json_agg(json_build_array(floor(date_part('epoch', lower(r.during))), ceil(date_part('epoch', upper(r.during))), r.unit)), '[]'::json)
        from fieldcrm.reservations r
        where r.org_id = f.org_id and r.service_type_id = s.id and r.during && f.span
          and (r.hold_id is null or r.hold_id not in (select x.id from gone x))
          and (r.work_order_id is null or r.work_order_id is distinct from f.work_order_id)) end)
    from service s, place l))
from frame f
