-- {…, customer_id or null: that of the caller, related_work_order_id, location_id}, behind appointment/scope.sql. Out: {work_order, location}: the customer
-- and place of each that is asked for and seen.
select jsonb_build_object(
  'work_order', (select jsonb_build_object('customer_id', w.customer_id, 'location_id', w.location_id)
    from public.work_orders w
    join scope s on s.customer_id = w.customer_id and (s.whole or w.location_id = any (s.locations))
    where w.org_id = ($1 ->> 'org_id')::uuid and w.id = ($1 ->> 'related_work_order_id')::uuid),
  'location', (select jsonb_build_object('customer_id', l.customer_id, 'location_id', l.id)
    from public.customer_locations l
    join scope s on s.customer_id = l.customer_id and (s.whole or l.id = any (s.locations))
    where l.org_id = ($1 ->> 'org_id')::uuid and l.id = ($1 ->> 'location_id')::uuid))
