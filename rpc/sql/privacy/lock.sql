-- In: {org_id, id}. Out: {id, merged_into_id, merged: the ids of the duplicates that were merged into it, theirs included};
-- null if the org has no such customer. Locked: what is exported or erased does not change meanwhile.
with recursive customer as materialized (
  select c.id, c.merged_into_id from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
  for update
), merged as (
  select c.id from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.merged_into_id = ($1 ->> 'id')::uuid
  union
  select c.id from merged m join public.customers c
    on c.org_id = ($1 ->> 'org_id')::uuid and c.merged_into_id = m.id
)
select jsonb_build_object('id', c.id, 'merged_into_id', c.merged_into_id,
  'merged', coalesce((select jsonb_agg(m.id order by m.id) from merged m where m.id <> c.id), '[]'))
from customer c
