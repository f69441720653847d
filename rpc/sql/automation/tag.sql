-- In: {org_id, tag, runs: [{n, customer_id}]}, a tag that exists. Out: [{tag_id, created}] in the order of n. In the order of the
-- customers, so that two calls do not wait for each other.
with given as materialized (
  select g.n, g.customer_id, row_number() over (partition by g.customer_id order by g.n) = 1 as is_first
  from jsonb_to_recordset($1 -> 'runs') as g (n integer, customer_id uuid)
), tag as materialized (
  select t.id from public.crm_tags t where t.org_id = ($1 ->> 'org_id')::uuid and t.name_key = lower($1 ->> 'tag')
), tagged as (
  insert into public.crm_customer_tags (org_id, customer_id, tag_id, assigned_by_user_id)
  select ($1 ->> 'org_id')::uuid, g.customer_id, t.id, null
  from given g, tag t
  where g.is_first
  order by g.customer_id
  on conflict (org_id, customer_id, tag_id) do nothing
  returning customer_id
)
select coalesce(jsonb_agg(jsonb_build_object('tag_id', (select t.id from tag t),
  'created', g.is_first and g.customer_id in (select x.customer_id from tagged x)) order by g.n), '[]')
from given g
