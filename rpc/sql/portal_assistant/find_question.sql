-- {…, message_id}, behind own.sql. Out: {id: of the conversation, customer_id, related_work_order_id}, or null: no such question, or not the caller's.
select jsonb_build_object('id', c.id, 'customer_id', c.customer_id, 'related_work_order_id', c.related_work_order_id)
from own c
join public.portal_ai_messages m on m.org_id = c.org_id and m.conversation_id = c.id
where m.id = ($1 ->> 'message_id')::uuid and m.role = 'user'
