-- In: {org_id, thread_id, sender_type, portal_account_id or null, user_id or null, body, attachments or null, dedupe_key or null}. Out: the message
-- as its sender sees it. The message, its copy among the interactions and whose turn it is are one statement: never one without
-- the other. A key that is there fails, and takes everything back.
with thread as materialized (
  select t.* from public.portal_threads t
  where t.org_id = ($1 ->> 'org_id')::uuid and t.id = ($1 ->> 'thread_id')::uuid
  for update
), ids as materialized (
  -- After the lock: messages are in the order in which they came in.
  select gen_random_uuid() as message_id, clock_timestamp() as at from thread
), logged as (
  insert into public.crm_interactions (org_id, customer_id, location_id, related_work_order_id, channel, direction, subject, body,
    metadata, created_by_user_id, occurred_at)
  select t.org_id, t.customer_id, t.location_id, t.related_work_order_id, 'portal_message',
    (case $1 ->> 'sender_type' when 'portal_customer' then 'inbound' when 'internal_user' then 'outbound'
      else 'system_generated' end)::public.interaction_direction,
    t.subject, nullif($1 ->> 'body', ''), jsonb_strip_nulls(jsonb_build_object('portal_thread_id', t.id, 'portal_message_id', i.message_id,
      'attachments', nullif($1 -> 'attachments', 'null'))), ($1 ->> 'user_id')::uuid, i.at
  from thread t, ids i
  returning id
), sent as (
  insert into public.portal_messages (id, org_id, customer_id, thread_id, crm_interaction_id, sender_type, sender_portal_account_id,
    sender_user_id, body, attachments, dedupe_key, sent_at)
  select i.message_id, t.org_id, t.customer_id, t.id, l.id, ($1 ->> 'sender_type')::public.portal_sender_type,
    ($1 ->> 'portal_account_id')::uuid, ($1 ->> 'user_id')::uuid, $1 ->> 'body', nullif($1 -> 'attachments', 'null'),
    $1 ->> 'dedupe_key', i.at
  from thread t, ids i, logged l
  returning *
), turned as (
  update public.portal_threads t
  set last_message_at = greatest(t.last_message_at, i.at),
    status = (case $1 ->> 'sender_type' when 'portal_customer' then 'pending_internal' when 'internal_user' then 'pending_customer'
      else t.status::text end)::public.portal_thread_status
  from thread x, ids i
  where t.org_id = x.org_id and t.id = x.id
  returning t.status
)
select jsonb_build_object('id', s.id, 'thread_id', s.thread_id, 'customer_id', s.customer_id, 'body', s.body, 'attachments', coalesce(s.attachments, '[]'),
  'sent_at', s.sent_at, 'read_at', s.read_at, 'status', t.status)
from sent s, turned t
