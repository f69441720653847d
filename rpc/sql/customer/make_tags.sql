-- In: {org_id, tags: [names]}. Out: {made}. Makes those that are unknown. Every session makes them in one order, so
-- that two do not wait for each other. Do nothing, not do update: an update would lock tags that the
-- foreign keys of other sessions share, and deadlock with them. What a faster session made is seen by
-- the next statement.
with made as (
  insert into public.crm_tags (org_id, name)
  select distinct on (lower(g.name)) ($1 ->> 'org_id')::uuid, g.name
  from jsonb_array_elements_text($1 -> 'tags') with ordinality as g (name, n)
  where not exists (select from public.crm_tags t where t.org_id = ($1 ->> 'org_id')::uuid and t.name_key = lower(g.name))
  order by lower(g.name), g.n
  on conflict do nothing
  returning 1
)
select jsonb_build_object('made', (select count(*) from made))
