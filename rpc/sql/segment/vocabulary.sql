-- In: {org_id, user_id or null, most}. Out: {today, me, currency, tags, cities, states, countries, sources, service_types,
-- products, segments, people: [{id, name}]}, the org's own names that a sentence can have. Runs as owner.
with place as materialized (
  select l.city, l.state, l.country, count(*) as number from public.customer_locations l
  where l.org_id = ($1 ->> 'org_id')::uuid
  group by l.city, l.state, l.country
), named as (
  select v.sort, v.name, sum(p.number) as number from place p,
    lateral (values ('cities', p.city), ('states', p.state), ('countries', p.country)) as v (sort, name)
  group by v.sort, v.name
  union all
  select 'sources', c.source, count(*) from public.customers c where c.org_id = ($1 ->> 'org_id')::uuid group by c.source
  union all
  select 'service_types', s.code, 1 from public.service_types s where s.org_id = ($1 ->> 'org_id')::uuid
  union all
  select 'tags', t.name, 1 from public.crm_tags t where t.org_id = ($1 ->> 'org_id')::uuid
  union all
  select 'products', p.name, 1 from public.products p where p.org_id = ($1 ->> 'org_id')::uuid
  union all
  select 'segments', s.name, 1 from public.crm_segments s where s.org_id = ($1 ->> 'org_id')::uuid
), ranked as (
  select n.sort, n.name, row_number() over (partition by n.sort order by n.number desc, n.name) as place
  from named n where n.name <> ''
)
select jsonb_build_object(
  'today', (now() at time zone o.time_zone)::date, 'currency', o.currency,
  'me', (select p.id from public.profiles p where p.org_id = o.id and p.id = ($1 ->> 'user_id')::uuid),
  'people', (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'name', p.full_name) order by p.full_name), '[]')
    from public.profiles p where p.org_id = o.id and p.status = 'active' and p.full_name is not null
      and p.role not in ('client_admin', 'portal_customer', 'portal_manager')))
  || (select coalesce(jsonb_object_agg(s.sort, s.names), '{}') from (
    select r.sort, jsonb_agg(r.name order by r.place) as names from ranked r
    where r.place <= ($1 ->> 'most')::bigint group by r.sort) s)
from public.orgs o where o.id = ($1 ->> 'org_id')::uuid
