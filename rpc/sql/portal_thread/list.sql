-- {…, status or null, at and id: the place that the page begins behind, limit}, behind appointment/scope.sql. Out: threads, the latest word
-- first, one more than the limit.
, asked as materialized (
  select v.*
  from scope s
  cross join lateral (
    select t.*
    from public.portal_threads t
    where t.org_id = ($1 ->> 'org_id')::uuid and t.customer_id = s.customer_id and (s.whole or t.location_id = any (s.locations))
      and ($1 ->> 'status' is null or t.status = ($1 ->> 'status')::public.portal_thread_status)
      and (t.last_message_at, t.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
    order by t.last_message_at desc, t.id desc
    limit ($1 ->> 'limit')::bigint + 1) v
  order by v.last_message_at desc, v.id desc
  limit ($1 ->> 'limit')::bigint + 1
)
select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'at', a.last_message_at, 'subject', a.subject, 'status', a.status,
  'customer_id', a.customer_id, 'location_id', a.location_id, 'related_work_order_id', a.related_work_order_id,
  'last_message_at', a.last_message_at, 'created_at', a.created_at,
  'last_message', (select jsonb_build_object('sender_type', m.sender_type, 'excerpt', left(m.body, 160))
    from public.portal_messages m where m.org_id = a.org_id and m.thread_id = a.id order by m.sent_at desc, m.id desc limit 1),
  'unread_count', (select count(*) from public.portal_messages m
    where m.org_id = a.org_id and m.thread_id = a.id and m.read_at is null and m.sender_type <> 'portal_customer'))
  order by a.last_message_at desc, a.id desc), '[]')
from asked a
