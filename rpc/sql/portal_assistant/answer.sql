-- In: {org_id, conversation_id, message_id: the question, content, tokens or null, metadata}. Out: the id of the answer, or null: it has one already, or
-- there is no such question. Runs as owner, after lock.sql.
insert into public.portal_ai_messages (org_id, conversation_id, role, content, tokens_used, metadata, answers_message_id, created_at)
select m.org_id, m.conversation_id, 'assistant', $1 ->> 'content', ($1 ->> 'tokens')::integer, $1 -> 'metadata', m.id, clock_timestamp()
from public.portal_ai_messages m
where m.org_id = ($1 ->> 'org_id')::uuid and m.conversation_id = ($1 ->> 'conversation_id')::uuid and m.id = ($1 ->> 'message_id')::uuid
  and m.role = 'user'
on conflict (org_id, answers_message_id) do nothing
returning to_jsonb(id)
