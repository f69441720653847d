-- {…, id}, behind own.sql. Out: the conversation, or null.
select jsonb_build_object('id', c.id, 'context_type', c.context_type, 'status', c.status, 'customer_id', c.customer_id, 'location_id', c.location_id,
  'related_work_order_id', c.related_work_order_id, 'thread_id', c.escalated_to_thread_id, 'started_at', c.started_at, 'ended_at', c.ended_at)
from own c
where c.id = ($1 ->> 'id')::uuid
