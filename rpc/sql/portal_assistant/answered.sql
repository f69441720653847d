-- In: {org_id, conversation_id, message_id: the question}. Out: the answer as its customer sees it, or null.
select jsonb_build_object('id', m.id, 'role', m.role, 'content', m.content, 'created_at', m.created_at,
  'answers_message_id', m.answers_message_id, 'citations', coalesce(m.metadata -> 'citations', '[]'),
  'refused', coalesce(m.metadata -> 'refused', 'false'), 'provider', m.metadata ->> 'provider', 'model', m.metadata ->> 'model')
from public.portal_ai_messages m
where m.org_id = ($1 ->> 'org_id')::uuid and m.conversation_id = ($1 ->> 'conversation_id')::uuid
  and m.answers_message_id = ($1 ->> 'message_id')::uuid
