-- In: {org_id, technician_id or null, status, customer_id, assigned_to: each or null, at and id: the place that the page begins behind, limit}. Out:
-- threads, the latest word first, one more than the limit; a technician's are those of their visits.
with asked as materialized (
  select t.*
  from public.portal_threads t
  where t.org_id = ($1 ->> 'org_id')::uuid
    and ($1 ->> 'status' is null or t.status = ($1 ->> 'status')::public.portal_thread_status)
    and ($1 ->> 'customer_id' is null or t.customer_id = ($1 ->> 'customer_id')::uuid)
    and ($1 ->> 'assigned_to' is null or t.assigned_to_user_id = ($1 ->> 'assigned_to')::uuid)
    and ($1 ->> 'technician_id' is null or exists (select from public.work_orders w
      where w.org_id = t.org_id and w.id = t.related_work_order_id and w.technician_id = ($1 ->> 'technician_id')::uuid))
    and (t.last_message_at, t.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
  order by t.last_message_at desc, t.id desc
  limit ($1 ->> 'limit')::bigint + 1
)
select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'at', a.last_message_at, 'subject', a.subject, 'status', a.status,
  'customer', jsonb_build_object('id', c.id, 'name', c.name), 'location_id', a.location_id,
  'related_work_order_id', a.related_work_order_id, 'assigned_to_user_id', a.assigned_to_user_id,
  'last_message_at', a.last_message_at, 'created_at', a.created_at,
  'last_message', (select jsonb_build_object('sender_type', m.sender_type, 'excerpt', left(m.body, 160))
    from public.portal_messages m where m.org_id = a.org_id and m.thread_id = a.id order by m.sent_at desc, m.id desc limit 1),
  'unread_count', (select count(*) from public.portal_messages m
    where m.org_id = a.org_id and m.thread_id = a.id and m.read_at is null and m.sender_type = 'portal_customer'))
  order by a.last_message_at desc, a.id desc), '[]')
from asked a join public.customers c on c.org_id = a.org_id and c.id = a.customer_id
