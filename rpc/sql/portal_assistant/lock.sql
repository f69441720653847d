-- In: {org_id, id}. Out: {status, thread_id}. What is said and what is handed over take turns. Runs as owner.
select jsonb_build_object('status', c.status, 'thread_id', c.escalated_to_thread_id)
from public.portal_ai_conversations c
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
for no key update
