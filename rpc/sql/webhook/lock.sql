-- In: {org_id, keys}: of senders, or of events without one; none for the whole org. Out: {}. Two deliveries from one sender take turns,
-- until the transaction ends: the same event from five sessions is seen by the second, and an unknown sender makes one lead. A
-- statement of its own, so that the next one sees what the other session committed. In the order of the keys, against deadlocks.
with org as materialized (
  select hashtextextended('fieldcrm.webhook:' || ($1 ->> 'org_id'), 0) as key, jsonb_array_length($1 -> 'keys') = 0 as alone
), whole as materialized (
  select count(*) as n from org o, lateral (select pg_advisory_xact_lock(o.key)) x where o.alone
), shared as materialized (
  select count(*) as n from org o, lateral (select pg_advisory_xact_lock_shared(o.key)) x where not o.alone
), keys as materialized (
  select distinct hashtextextended('fieldcrm.webhook:' || ($1 ->> 'org_id') || ':' || k, 0) as key
  from jsonb_array_elements_text($1 -> 'keys') k, whole w, shared s
  where w.n + s.n >= 0
  order by 1
)
select '{}'::jsonb from (select count(*) from keys k, lateral (select pg_advisory_xact_lock(k.key)) x) z
