-- In: {org_id, scope}. Out: {next_appointment or null, open_threads, unread_messages, invoices: {count, amount_due, currency},
-- open_bookings, active_memberships}. What belongs to no location is seen by who sees the whole customer.
with scope as materialized (
  select s.customer_id, s.location_id from jsonb_to_recordset($1 -> 'scope') as s (customer_id uuid, location_id uuid)
), org as materialized (
  select o.id, o.currency, array(select distinct s.customer_id from scope s) as customers
  from public.orgs o where o.id = ($1 ->> 'org_id')::uuid
), threads as materialized (
  select t.id, t.org_id, t.customer_id, t.status
  from org o join public.portal_threads t on t.org_id = o.id and t.customer_id = any (o.customers)
  where exists (select from scope s where s.customer_id = t.customer_id and (s.location_id is null or s.location_id = t.location_id))
)
select jsonb_build_object(
  'next_appointment', (
    select jsonb_build_object('id', p.work_order_id, 'customer_id', p.customer_id, 'location_id', p.location_id,
      'service_type', p.service_type, 'status', p.status, 'window_start', p.window_start, 'window_end', p.window_end, 'eta', p.eta,
      'technician', case when r.id is not null then jsonb_build_object('name', r.full_name, 'avatar_url', r.avatar_url) end)
    from public.portal_appointments p
    left join public.work_orders w on w.org_id = p.org_id and w.id = p.work_order_id
    left join public.profiles r on r.org_id = w.org_id and r.id = w.technician_id
    where p.org_id = o.id and p.customer_id = any (o.customers) and p.status in ('scheduled', 'en_route', 'on_site')
      and coalesce(p.window_end, p.window_start) >= now()
      and exists (select from scope s where s.customer_id = p.customer_id and (s.location_id is null or s.location_id = p.location_id))
    order by p.window_start, p.work_order_id
    limit 1),
  'open_threads', (select count(*) from threads t where t.status <> 'closed'),
  'unread_messages', (
    select count(*) from threads t
    join public.portal_messages m on m.org_id = t.org_id and m.customer_id = t.customer_id and m.thread_id = t.id
    where m.sender_type <> 'portal_customer' and m.read_at is null),
  'invoices', (
    select jsonb_build_object('count', count(*), 'amount_due', coalesce(sum(i.total - i.amount_paid), 0), 'currency', o.currency)
    from public.invoices i
    left join public.work_orders w on w.org_id = i.org_id and w.id = i.work_order_id
    where i.org_id = o.id and i.customer_id = any (o.customers) and i.status = 'sent' and i.total > i.amount_paid
      and exists (select from scope s where s.customer_id = i.customer_id and (s.location_id is null or s.location_id = w.location_id))),
  'open_bookings', (
    select count(*) from public.portal_booking_requests b
    where b.org_id = o.id and b.customer_id = any (o.customers) and b.status in ('submitted', 'under_review', 'approved')
      and exists (select from scope s where s.customer_id = b.customer_id and (s.location_id is null or s.location_id = b.location_id))),
  'active_memberships', (
    select count(*) from public.customer_memberships m
    where m.org_id = o.id and m.customer_id = any (o.customers) and m.status = 'active'
      and exists (select from scope s where s.customer_id = m.customer_id and s.location_id is null)))
from org o
