-- In: {org_id, id}, a conversation that the caller sees. Out: its messages, the oldest first; there is an end to questions, so that all fit. What an
-- answer did cost is for staff.
select coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'role', m.role, 'content', m.content, 'created_at', m.created_at)
  || case when m.role = 'assistant' then jsonb_build_object('answers_message_id', m.answers_message_id,
    'citations', coalesce(m.metadata -> 'citations', '[]'), 'refused', coalesce(m.metadata -> 'refused', 'false'),
    'provider', m.metadata ->> 'provider', 'model', m.metadata ->> 'model') else '{}' end
  order by m.created_at, m.id), '[]')
from public.portal_ai_messages m
where m.org_id = ($1 ->> 'org_id')::uuid and m.conversation_id = ($1 ->> 'id')::uuid
