-- In: {org_id, smallest, groups}. Out: {currency, customers, averages, by: {field: [{value, customers, averages}]}, largest first.
-- Runs as owner. No row of a customer: averages of fewer than `smallest` are left out, and so are values of the free
-- text fields that fewer have. At most `groups` of each.
with customer as materialized (
  select c.id, c.type::text as type, c.status::text as status, c.lifecycle_stage::text as lifecycle_stage,
    c.pipeline_stage, c.source, l.city, l.state, l.country, coalesce(m.total_spend, 0) as total_spend,
    coalesce(m.balance_due, 0) as balance_due, coalesce(m.jobs_count, 0) as jobs_count,
    coalesce(m.interactions_count, 0) as interactions_count
  from public.customers c
  left join public.customer_locations l on l.org_id = c.org_id and l.customer_id = c.id and l.id = c.primary_location_id
  left join public.customer_metrics m on m.org_id = c.org_id and m.customer_id = c.id
  where c.org_id = ($1 ->> 'org_id')::uuid and not c.is_archived
), valued as (
  select v.field, v.value, v.closed, c.total_spend, c.balance_due, c.jobs_count, c.interactions_count
  from customer c, lateral (values ('type', c.type, true), ('status', c.status, true),
    ('lifecycle_stage', c.lifecycle_stage, true), ('pipeline_stage', c.pipeline_stage, true), ('source', c.source, false),
    ('city', c.city, false), ('state', c.state, false), ('country', c.country, false)) as v (field, value, closed)
  where v.value is not null
  union all
  select 'tags', t.name, false, c.total_spend, c.balance_due, c.jobs_count, c.interactions_count
  from customer c
  join public.crm_customer_tags x on x.org_id = ($1 ->> 'org_id')::uuid and x.customer_id = c.id
  join public.crm_tags t on t.org_id = x.org_id and t.id = x.tag_id
), grouped as (
  select v.field, v.value, count(*) as customers,
    case when count(*) >= ($1 ->> 'smallest')::bigint then jsonb_build_object(
      'total_spend', round(avg(v.total_spend), 2), 'balance_due', round(avg(v.balance_due), 2),
      'jobs_count', round(avg(v.jobs_count), 1), 'interactions_count', round(avg(v.interactions_count), 1)) end as averages,
    row_number() over (partition by v.field order by count(*) desc, v.value) as place
  from valued v
  group by v.field, v.value
  having bool_and(v.closed) or count(*) >= ($1 ->> 'smallest')::bigint
), fields as (
  select g.field, jsonb_agg(jsonb_build_object('value', g.value, 'customers', g.customers, 'averages', g.averages)
    order by g.place) as found
  from grouped g where g.place <= ($1 ->> 'groups')::bigint
  group by g.field
)
select jsonb_build_object(
  'currency', (select o.currency from public.orgs o where o.id = ($1 ->> 'org_id')::uuid),
  'customers', (select count(*) from customer),
  'averages', (select case when count(*) >= ($1 ->> 'smallest')::bigint then jsonb_build_object(
    'total_spend', round(avg(c.total_spend), 2), 'balance_due', round(avg(c.balance_due), 2),
    'jobs_count', round(avg(c.jobs_count), 1), 'interactions_count', round(avg(c.interactions_count), 1)) end from customer c),
  'by', coalesce((select jsonb_object_agg(f.field, f.found) from fields f), '{}'))
