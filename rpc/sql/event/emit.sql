-- In: {org_id, or null where the customer says it, event}, prepared by core. Out: {org_id, closed, merged_into_id, past: whether
-- it is not of the future, event: the row, or null if it cannot be or the key is taken}; null without the customer.
-- The share lock makes an erasure or a merge wait for the event, or the event for them.
with given as materialized (
  select g.*
  from jsonb_to_record($1 -> 'event') as g (event_type text, customer_id uuid, payload jsonb, event_key text, occurred_at timestamptz)
), customer as materialized (
  select c.org_id, c.id, c.erased_at is not null or c.merged_into_id is not null as closed, c.merged_into_id,
    coalesce(g.occurred_at, now()) <= now() + interval '1 day' as past
  from given g
  join public.customers c on c.id = g.customer_id and ($1 ->> 'org_id' is null or c.org_id = ($1 ->> 'org_id')::uuid)
  for share of c
), made as (
  insert into public.crm_events (org_id, event_type, customer_id, payload, event_key, occurred_at)
  select c.org_id, g.event_type, c.id, g.payload, coalesce(g.event_key, g.event_type || ':' || gen_random_uuid()),
    coalesce(g.occurred_at, now())
  from customer c, given g
  where c.past and not c.closed
  on conflict (org_id, event_key) do nothing
  returning *
)
select jsonb_build_object('org_id', c.org_id, 'closed', c.closed, 'merged_into_id', c.merged_into_id, 'past', c.past,
  'event', (select to_jsonb(m) from made m))
from customer c
