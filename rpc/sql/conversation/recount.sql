-- In: {org_id, id}. Out: {message_count, last_message_at}; null if there is no such conversation. Locked first, in a CTE
-- that the count cannot overtake: a message that comes in meanwhile waits, and then adds to this.
with locked as materialized (
  select c.org_id, c.lead_id, c.id from public.conversations c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
)
update public.conversations c
set message_count = m.messages, last_message_at = m.last_at
from locked l cross join lateral (
  select count(*)::integer as messages, max(x.created_at) as last_at
  from public.messages x where x.org_id = l.org_id and x.conversation_id = l.id) m
where c.org_id = l.org_id and c.id = l.id
returning jsonb_build_object('message_count', c.message_count, 'last_message_at', c.last_message_at)
