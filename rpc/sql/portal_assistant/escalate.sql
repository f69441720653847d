-- In: {org_id, id, thread_id}. Out: {id, status, thread_id}. Runs as owner, after lock.sql.
update public.portal_ai_conversations c
set status = 'escalated', ended_at = clock_timestamp(), escalated_to_thread_id = ($1 ->> 'thread_id')::uuid
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
returning jsonb_build_object('id', c.id, 'status', c.status, 'thread_id', c.escalated_to_thread_id)
