-- In: {org_id, technician_id, id or null, from_at, to_at, limit}. Out: {visits}: the technician's own, either the one
-- of that id or those whose window meets the range. Runs as owner: technicians read no table, so this names each
-- column they get. Not among them: the customer's notes, status, stage, owner and e-mail addresses.
select jsonb_build_object('visits', coalesce(jsonb_agg(v.visit order by v.window_start, v.id), '[]'))
from (
  select w.id, w.window_start, jsonb_build_object(
    'id', w.id, 'title', w.title, 'description', w.description, 'service_type', w.service_type, 'status', w.status,
    'window_start', w.window_start, 'window_end', w.window_end, 'eta', w.eta, 'en_route_at', w.en_route_at,
    'started_at', w.started_at, 'completed_at', w.completed_at, 'canceled_at', w.canceled_at,
    'customer_notes', w.customer_notes, 'internal_notes', w.internal_notes,
    'customer', jsonb_build_object('id', c.id, 'name', c.name, 'phone', coalesce((
      select x.value from public.customer_contacts x
      where x.org_id = c.org_id and x.customer_id = c.id and x.type in ('mobile', 'phone')
      order by x.is_primary desc, (x.type = 'mobile') desc, x.created_at, x.id
      limit 1), c.phone)),
    'location', case when l.id is not null then jsonb_build_object(
      'id', l.id, 'label', l.label, 'address_line1', l.address_line1, 'address_line2', l.address_line2, 'city', l.city,
      'state', l.state, 'postal_code', l.postal_code, 'country', l.country, 'latitude', l.latitude,
      'longitude', l.longitude) end) as visit
  from public.work_orders w
  join public.customers c on c.org_id = w.org_id and c.id = w.customer_id
  left join public.customer_locations l on l.org_id = w.org_id and l.customer_id = w.customer_id and l.id = w.location_id
  where w.org_id = ($1 ->> 'org_id')::uuid and w.technician_id = ($1 ->> 'technician_id')::uuid
    and case when $1 ->> 'id' is not null then w.id = ($1 ->> 'id')::uuid
      else w.window_end > coalesce(($1 ->> 'from_at')::timestamptz, now() - interval '1 day')
        and w.window_start < coalesce(($1 ->> 'to_at')::timestamptz, now() + interval '14 days') end
  order by w.window_start, w.id
  limit ($1 ->> 'limit')::integer
) v
