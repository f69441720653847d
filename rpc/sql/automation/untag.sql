-- In: {org_id, tag, runs: [{n, customer_id}]}. Out: [{removed}] in the order of n.
with given as materialized (
  select g.n, g.customer_id, row_number() over (partition by g.customer_id order by g.n) = 1 as is_first
  from jsonb_to_recordset($1 -> 'runs') as g (n integer, customer_id uuid)
), untagged as (
  delete from public.crm_customer_tags x
  using public.crm_tags t
  where t.org_id = ($1 ->> 'org_id')::uuid and t.name_key = lower($1 ->> 'tag') and x.org_id = t.org_id and x.tag_id = t.id
    and x.customer_id in (select g.customer_id from given g)
  returning x.customer_id
)
select coalesce(jsonb_agg(jsonb_build_object('removed',
  g.is_first and g.customer_id in (select x.customer_id from untagged x)) order by g.n), '[]')
from given g
