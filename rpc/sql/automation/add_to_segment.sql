-- In: {org_id, segment_id, runs: [{n, customer_id}]}, a segment that is not rule_based. Out: [{segment_id, created}] in the order of n.
with given as materialized (
  select g.n, g.customer_id, row_number() over (partition by g.customer_id order by g.n) = 1 as is_first
  from jsonb_to_recordset($1 -> 'runs') as g (n integer, customer_id uuid)
), added as (
  insert into public.crm_segment_members (org_id, segment_id, customer_id)
  select ($1 ->> 'org_id')::uuid, ($1 ->> 'segment_id')::uuid, g.customer_id
  from given g
  where g.is_first
  order by g.customer_id
  on conflict (org_id, segment_id, customer_id) do nothing
  returning customer_id
)
select coalesce(jsonb_agg(jsonb_build_object('segment_id', $1 -> 'segment_id',
  'created', g.is_first and g.customer_id in (select x.customer_id from added x)) order by g.n), '[]')
from given g
