-- In: {org_id or null for all, event_types or null for all, batch_limit, after: a queue id}. Out: {last: the last queue id
-- picked, events: [{queue_id, event_id, customer_id, event_type, event_key, occurred_at, payload, rule_chain}] in the order of the
-- queue, held: [[customer id, is_archived, is_closed]]}: only what is held may be worked off.
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
  -- Left, so that the planner expects as many events as were picked.
  select p.id as queue_id, p.org_id, e.id, e.customer_id, e.event_type, e.event_key, e.occurred_at, e.payload, e.rule_chain
  from picked p left join public.crm_events e on e.org_id = p.org_id and e.id = p.event_id
), thrown_away as (
  delete from fieldcrm.event_queue q using happened h
  where q.id = h.queue_id and q.org_id = h.org_id and h.id is null
), held as materialized (
  select c.org_id, c.id, c.is_archived, c.erased_at is not null or c.merged_into_id is not null as is_closed
  from public.customers c
  where (c.org_id, c.id) in (select h.org_id, h.customer_id from happened h)
  for no key update skip locked
)
select jsonb_build_object('last', (select max(p.id) from picked p),
  'events', coalesce((
    select jsonb_agg(jsonb_build_object('queue_id', h.queue_id, 'event_id', h.id, 'customer_id', h.customer_id,
      'event_type', h.event_type, 'event_key', h.event_key, 'occurred_at', h.occurred_at, 'payload', h.payload,
      'rule_chain', h.rule_chain) order by h.queue_id)
    from happened h where h.id is not null), '[]'),
  'held', coalesce((select jsonb_agg(jsonb_build_array(c.id, c.is_archived, c.is_closed)) from held c), '[]'))
