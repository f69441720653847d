-- In: {org_id, conversation_id, user_id or null: a back end, outbox_id, content, subject or null, refused}. Out: {id}. What becomes of the
-- message it copies from the outbox (fieldcrm.follow_outbox).
with made as (
  insert into public.messages (org_id, client_id, lead_id, conversation_id, sender_type, sender_id, content, message_type, direction,
    status, metadata, outbox_id)
  select c.org_id, c.client_id, c.lead_id, c.id, case when $1 ->> 'user_id' is null then 'system' else 'user' end,
    ($1 ->> 'user_id')::uuid, $1 ->> 'content', c.channel, 'outbound', case when ($1 ->> 'refused')::boolean then 'failed' else 'sent' end,
    jsonb_strip_nulls(jsonb_build_object('subject', $1 ->> 'subject')), ($1 ->> 'outbox_id')::uuid
  from public.conversations c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'conversation_id')::uuid
  returning id
)
select jsonb_build_object('id', m.id) from made m
