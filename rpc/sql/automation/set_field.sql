-- In: {org_id, field, value, runs: [{n, customer_id}]}. Out: [{field, changed}] in the order of n. Only rows where it differs.
with given as materialized (
  select g.n, g.customer_id, row_number() over (partition by g.customer_id order by g.n) = 1 as is_first
  from jsonb_to_recordset($1 -> 'runs') as g (n integer, customer_id uuid)
), changed as (
  update public.customers c
  set (status, lifecycle_stage, pipeline_stage, source, preferred_language, owner_id) = (
    select n.status, n.lifecycle_stage, n.pipeline_stage, n.source, n.preferred_language, n.owner_id
    from jsonb_populate_record(c, jsonb_build_object($1 ->> 'field', $1 -> 'value')) n)
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id in (select g.customer_id from given g)
    and case $1 ->> 'field'
      when 'status' then c.status::text
      when 'lifecycle_stage' then c.lifecycle_stage::text
      when 'pipeline_stage' then c.pipeline_stage
      when 'source' then c.source
      when 'preferred_language' then c.preferred_language
      when 'owner_id' then c.owner_id::text end is distinct from $1 ->> 'value'
  returning c.id
)
select coalesce(jsonb_agg(jsonb_build_object('field', $1 -> 'field',
  'changed', g.is_first and g.customer_id in (select x.id from changed x)) order by g.n), '[]')
from given g
