-- In: {org_id, event_key}. Out: the event that has the key, or null. A statement of its own: what the other session
-- committed is not in the snapshot of event/emit.sql.
select to_jsonb(e)
from public.crm_events e
where e.org_id = ($1 ->> 'org_id')::uuid and e.event_key = $1 ->> 'event_key'
