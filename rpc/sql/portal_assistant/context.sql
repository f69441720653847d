-- {…, conversation_id, message_id, customer_id: of the conversation, related_work_order_id or null}, behind appointment/scope.sql. Out: what the assistant
-- may know: {org_id, conversation_id, question, history, visits, bookings, invoices}. Only what this customer reads in the portal anyway: of the customer's
-- visits those to come, of the last 30 days and the one it is about.
, asked as materialized (
  select m.org_id, m.conversation_id, m.id, m.content, m.created_at
  from public.portal_ai_messages m
  where m.org_id = ($1 ->> 'org_id')::uuid and m.conversation_id = ($1 ->> 'conversation_id')::uuid and m.id = ($1 ->> 'message_id')::uuid
), seen as materialized (
  select s.* from scope s where s.customer_id = ($1 ->> 'customer_id')::uuid
)
select jsonb_build_object(
  'org_id', q.org_id, 'conversation_id', q.conversation_id, 'question', q.content,
  'history', (select coalesce(jsonb_agg(jsonb_build_object('role', h.role, 'content', h.content) order by h.created_at, h.id), '[]')
    from (select m.* from public.portal_ai_messages m
      where m.org_id = q.org_id and m.conversation_id = q.conversation_id and m.role <> 'system' and (m.created_at, m.id) < (q.created_at, q.id)
      order by m.created_at desc, m.id desc limit 10) h),
  'visits', (select coalesce(jsonb_agg(v.visit order by v.is_about desc, v.at desc, v.id), '[]')
    from (select w.id, w.at, w.is_about, jsonb_build_object('title', w.title, 'service', coalesce(y.name, w.service_type), 'status', w.status,
        'window_start', w.window_start, 'window_end', w.window_end, 'eta', w.eta, 'completed_at', w.completed_at,
        'place', l.label, 'is_about', w.is_about) as visit
      from (select x.*, coalesce(x.completed_at, x.window_start, x.created_at) as at,
          coalesce(x.id = ($1 ->> 'related_work_order_id')::uuid, false) as is_about from public.work_orders x
        where x.org_id = q.org_id and x.customer_id = ($1 ->> 'customer_id')::uuid) w
      join seen s on s.whole or w.location_id = any (s.locations)
      left join public.service_types y on y.org_id = w.org_id and y.code = w.service_type
      left join public.customer_locations l on l.org_id = w.org_id and l.customer_id = w.customer_id and l.id = w.location_id
      where w.is_about or w.at > now() - interval '30 days'
      order by w.is_about desc, w.at desc, w.id limit 10) v),
  'bookings', (select coalesce(jsonb_agg(v.booking order by v.created_at desc, v.id), '[]')
    from (select b.id, b.created_at, jsonb_build_object('service', coalesce(y.name, b.service_type), 'status', b.status,
        'preferred_date', b.preferred_service_date, 'starts_at', b.starts_at, 'ends_at', b.ends_at, 'created_at', b.created_at) as booking
      from public.portal_booking_requests b
      join seen s on s.whole or b.location_id = any (s.locations)
      left join public.service_types y on y.org_id = b.org_id and y.code = b.service_type
      where b.org_id = q.org_id and b.customer_id = ($1 ->> 'customer_id')::uuid and b.status in ('submitted', 'under_review', 'approved')
      order by b.created_at desc, b.id limit 10) v),
  'invoices', (select coalesce(jsonb_agg(v.invoice order by v.created_at desc, v.id), '[]')
    from (select i.id, i.created_at, jsonb_build_object('number', i.number, 'total', i.total, 'amount_paid', i.amount_paid,
        'currency', o.currency, 'issued_at', i.issued_at, 'due_at', i.due_at) as invoice
      from public.invoices i
      join public.orgs o on o.id = i.org_id
      left join public.work_orders w on w.org_id = i.org_id and w.id = i.work_order_id
      join seen s on s.whole or w.location_id = any (s.locations)
      where i.org_id = q.org_id and i.customer_id = ($1 ->> 'customer_id')::uuid and i.status = 'sent' and i.total > i.amount_paid
      order by i.created_at desc, i.id limit 10) v))
from asked q
