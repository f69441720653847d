-- In: {org_id or null for all, id}. Out: {org_id, held: {status, lease_id, attempts, max_attempts, now, random, to_endpoint}, message: the
-- row}; null if there is none. Locked: two who settle one message take turns.
select json_build_object('org_id', o.org_id, 'message', to_jsonb(o), 'held', json_build_object('status', o.status,
  'lease_id', o.lease_id, 'attempts', o.attempts, 'max_attempts', o.max_attempts, 'now', now(), 'random', random(),
  'to_endpoint', o.webhook_endpoint_id is not null))
from public.crm_outbox o
where o.id = ($1 ->> 'id')::uuid and ($1 ->> 'org_id' is null or o.org_id = ($1 ->> 'org_id')::uuid)
for update
