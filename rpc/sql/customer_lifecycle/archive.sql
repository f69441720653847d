-- In: {org_id, id, archived}. Out: {merged}: whether it is a duplicate that was merged, which stays archived. Null if the
-- caller may not change the customer (FOR UPDATE applies the policies for update).
with customer as materialized (
  select c.id, c.merged_into_id is not null as merged from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
  for update
), changed as (
  update public.customers c set is_archived = ($1 ->> 'archived')::boolean from customer l
  where c.id = l.id and not l.merged and c.is_archived <> ($1 ->> 'archived')::boolean
)
select jsonb_build_object('merged', l.merged) from customer l
