-- In: {org_id, conversation_id, message_id: the question, most}. Out: true: an answer is begun once more; null: it was begun that often. Runs as owner.
update public.portal_ai_messages m set tries = m.tries + 1
where m.org_id = ($1 ->> 'org_id')::uuid and m.conversation_id = ($1 ->> 'conversation_id')::uuid and m.id = ($1 ->> 'message_id')::uuid
  and m.tries < ($1 ->> 'most')::smallint
returning to_jsonb(true)
