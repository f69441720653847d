-- In: {org_id, id, slot: {technician_id, starts_at, ends_at}, what is null is as in the request}. Out: {technician_id, is_technician, locked: [technicians],
-- starts_at, ends_at (seconds since 1970), unit, service_type, location_id}. Runs as owner, after request_lock.sql.
select jsonb_build_object('technician_id', t.technician_id, 'starts_at', t.starts_at, 'ends_at', t.ends_at,
  'is_technician', exists (select from public.profiles p where p.org_id = b.org_id and p.id = t.technician_id and p.status = 'active'
    and p.role not in ('client_admin', 'portal_customer', 'portal_manager')),
  'locked', (select coalesce(jsonb_agg(x.id), '[]') from (select t.technician_id union select h.technician_id
    from public.portal_booking_holds h where h.org_id = b.org_id and h.booking_request_id = b.id) as x (id) where x.id is not null),
  'unit', (select h.unit from public.portal_booking_holds h where h.org_id = b.org_id and h.booking_request_id = b.id
    and t.starts_at >= date_part('epoch', h.starts_at) and t.ends_at <= date_part('epoch', h.ends_at)),
  'service_type', b.service_type, 'location_id', b.location_id)
from public.portal_booking_requests b
join public.service_types s on s.org_id = b.org_id and s.code = b.service_type,
lateral (select coalesce(($1 -> 'slot' ->> 'technician_id')::uuid, b.technician_id) as technician_id,
  coalesce(($1 -> 'slot' ->> 'starts_at')::float8, date_part('epoch', b.starts_at)) as starts_at) g,
lateral (select g.technician_id, g.starts_at, coalesce(($1 -> 'slot' ->> 'ends_at')::float8,
  case when g.starts_at = date_part('epoch', b.starts_at) then date_part('epoch', b.ends_at) end,
  g.starts_at + s.duration_minutes * 60) as ends_at) t
where b.org_id = ($1 ->> 'org_id')::uuid and b.id = ($1 ->> 'id')::uuid
