-- In: {org_id, id, external_ref or null}. Out: {duplicate: id or null}; null if the caller may not
-- change the customer (FOR UPDATE applies the policies for update). Two patches of one customer
-- take turns.
select jsonb_build_object('duplicate', (
  select other.id from public.customers other
  where other.org_id = c.org_id and other.external_ref = $1 ->> 'external_ref' and other.id <> c.id))
from public.customers c
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
for update
