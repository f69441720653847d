-- In: {org_id, id: of the conversation, content}. Out: the message. Runs as owner.
insert into public.portal_ai_messages (org_id, conversation_id, role, content, created_at)
values (($1 ->> 'org_id')::uuid, ($1 ->> 'id')::uuid, 'user', $1 ->> 'content', clock_timestamp())
returning jsonb_build_object('id', id, 'conversation_id', conversation_id, 'role', role, 'content', content, 'created_at', created_at)
