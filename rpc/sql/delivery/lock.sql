-- In: {org_id, id}. Out: as outbox/lock.sql, and is_enabled: whether its endpoint is; null if there is no such message to an
-- endpoint. Locked.
select json_build_object('org_id', o.org_id, 'message', to_jsonb(o), 'held', json_build_object('status', o.status,
  'lease_id', o.lease_id, 'attempts', o.attempts, 'max_attempts', o.max_attempts, 'now', now(), 'random', random(),
  'to_endpoint', true), 'is_enabled', e.is_enabled)
from public.crm_outbox o
join public.webhook_endpoints e on e.org_id = o.org_id and e.id = o.webhook_endpoint_id
where o.org_id = ($1 ->> 'org_id')::uuid and o.id = ($1 ->> 'id')::uuid
for update of o
