-- In: {org_id, ids: [two]}. Out: {<id>: the customer}. Two merges of the same customers take turns, in the order of the ids.
with locked as materialized (
  select c.* from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id in (select g::uuid from jsonb_array_elements_text($1 -> 'ids') g)
  order by c.id
  for update
)
select coalesce(jsonb_object_agg(l.id, to_jsonb(l)), '{}') from locked l
