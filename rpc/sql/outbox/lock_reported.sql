-- In: {org_id or null for all, provider, provider_message_id}. Out: as outbox/lock.sql, of the newest that the provider
-- knows by that id.
with reported as materialized (
  select o.* from public.crm_outbox o
  where o.provider = $1 ->> 'provider' and o.provider_message_id = $1 ->> 'provider_message_id'
    and ($1 ->> 'org_id' is null or o.org_id = ($1 ->> 'org_id')::uuid)
  order by o.created_at desc, o.id
  limit 1
  for update
)
select json_build_object('org_id', o.org_id, 'message', to_jsonb(o), 'held', json_build_object('status', o.status,
  'lease_id', o.lease_id, 'attempts', o.attempts, 'max_attempts', o.max_attempts, 'now', now(), 'random', random(),
  'to_endpoint', o.webhook_endpoint_id is not null))
from reported o
