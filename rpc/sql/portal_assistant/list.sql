-- {…, status or null, at and id: the place that the page begins behind, limit}, behind own.sql. Out: conversations, the newest first, one more than the
-- limit.
select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'at', a.started_at, 'context_type', a.context_type, 'status', a.status,
  'customer_id', a.customer_id, 'related_work_order_id', a.related_work_order_id, 'thread_id', a.escalated_to_thread_id,
  'started_at', a.started_at, 'ended_at', a.ended_at,
  'last_question', (select left(m.content, 160) from public.portal_ai_messages m
    where m.org_id = a.org_id and m.conversation_id = a.id and m.role = 'user' order by m.created_at desc, m.id desc limit 1))
  order by a.started_at desc, a.id desc), '[]')
from (
  select c.*
  from own c
  where ($1 ->> 'status' is null or c.status = ($1 ->> 'status')::public.portal_ai_status)
    and (c.started_at, c.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
  order by c.started_at desc, c.id desc
  limit ($1 ->> 'limit')::bigint + 1
) a
