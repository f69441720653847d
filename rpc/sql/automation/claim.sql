-- In: {org_id or null for all, event_types or null for all, batch_limit, after: a queue id}. Out: {picked, last: the last queue
-- id picked, events: [{queue_id, event_id, org_id, customer_id, event_type, event_key, occurred_at, payload, rule_chain,
-- is_archived, is_closed}] in the order of the queue}.
-- The customers are locked with their events, so that those of one customer are worked off one after the other; whose customer
-- another session holds is left to the next call. What happened to customers that are gone is thrown away.
with picked as materialized (
  select q.id, q.org_id, q.event_id
  from fieldcrm.event_queue q
  where q.id > ($1 ->> 'after')::bigint
    and ($1 ->> 'org_id' is null or q.org_id = ($1 ->> 'org_id')::uuid)
    and (jsonb_typeof($1 -> 'event_types') is distinct from 'array' or $1 -> 'event_types' ? q.event_type)
  order by q.id
  limit ($1 ->> 'batch_limit')::bigint
  for update skip locked
), happened as materialized (
  select p.id as queue_id, e.*
  from picked p join public.crm_events e on e.org_id = p.org_id and e.id = p.event_id
), thrown_away as (
  delete from fieldcrm.event_queue q using picked p
  where q.id = p.id and q.org_id = p.org_id and not exists (select from happened h where h.queue_id = p.id)
), held as materialized (
  select c.org_id, c.id, c.is_archived, c.erased_at is not null or c.merged_into_id is not null as is_closed
  from public.customers c
  where (c.org_id, c.id) in (select h.org_id, h.customer_id from happened h)
  for no key update skip locked
)
select jsonb_build_object('picked', (select count(*) from picked), 'last', (select max(p.id) from picked p), 'events', coalesce((
  select jsonb_agg(jsonb_build_object('queue_id', h.queue_id, 'event_id', h.id, 'org_id', h.org_id, 'customer_id', h.customer_id,
    'event_type', h.event_type, 'event_key', h.event_key, 'occurred_at', h.occurred_at, 'payload', h.payload,
    'rule_chain', h.rule_chain, 'is_archived', c.is_archived, 'is_closed', c.is_closed) order by h.queue_id)
  from happened h join held c on c.org_id = h.org_id and c.id = h.customer_id), '[]'))
