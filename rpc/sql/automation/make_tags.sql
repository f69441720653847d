-- In: {tags: [{org_id, name}]}. Out: {made}. As customer/make_tags.sql does, for several orgs: in one order, and never an update.
with made as (
  insert into public.crm_tags (org_id, name)
  select distinct on (g.org_id, lower(g.name)) g.org_id, g.name
  from jsonb_to_recordset($1 -> 'tags') as g (org_id uuid, name text)
  where not exists (select from public.crm_tags t where t.org_id = g.org_id and t.name_key = lower(g.name))
  order by g.org_id, lower(g.name), g.name
  on conflict do nothing
  returning 1
)
select jsonb_build_object('made', (select count(*) from made))
