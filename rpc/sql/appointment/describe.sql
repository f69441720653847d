-- The rest of list.sql, history.sql and one.sql. Out: {now, policy, items: [{at, visit: what the policy asks, …}]}. Of a visit customers
-- read what is named here: no description, no notes, of the technician a name and a picture.
select jsonb_build_object('now', now(),
  'policy', coalesce((
    select jsonb_build_object('reschedule_hours_before', p.reschedule_hours_before, 'max_reschedules', p.max_reschedules,
      'cancel_hours_before', p.cancel_hours_before, 'cancel_fee_note', p.cancel_fee_note)
    from public.portal_settings p where p.org_id = ($1 ->> 'org_id')::uuid), '{}'),
  'items', coalesce((
    select jsonb_agg(jsonb_build_object('id', w.id, 'at', o.at, 'title', w.title, 'status', w.status,
      'service_type', case when w.service_type is not null then
        jsonb_build_object('code', w.service_type, 'name', coalesce(y.name, initcap(replace(w.service_type, '_', ' ')))) end,
      'window_start', w.window_start, 'window_end', w.window_end, 'eta', w.eta, 'en_route_at', w.en_route_at,
      'started_at', w.started_at, 'completed_at', w.completed_at, 'canceled_at', w.canceled_at,
      'technician', case when t.id is not null then jsonb_build_object('name', t.full_name, 'avatar_url', t.avatar_url) end,
      'customer', jsonb_build_object('id', c.id, 'name', c.name),
      'location', case when l.id is not null then jsonb_build_object('id', l.id, 'label', l.label, 'address_line1', l.address_line1,
        'address_line2', l.address_line2, 'city', l.city, 'state', l.state, 'postal_code', l.postal_code, 'country', l.country) end,
      'visit', jsonb_build_object('status', w.status, 'window_start', w.window_start, 'reschedule_count', w.reschedule_count))
      order by o.ord)
    from ordered o
    join public.work_orders w on w.org_id = ($1 ->> 'org_id')::uuid and w.id = o.id
    join public.customers c on c.org_id = w.org_id and c.id = w.customer_id
    left join public.profiles t on t.org_id = w.org_id and t.id = w.technician_id
    left join public.service_types y on y.org_id = w.org_id and y.code = w.service_type
    left join public.customer_locations l on l.org_id = w.org_id and l.customer_id = w.customer_id and l.id = w.location_id), '[]'))
