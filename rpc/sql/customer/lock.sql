-- In: {org_id, id, external_ref or null, contacts: [{id, set}]}. Out: {duplicate, contact}: the id of the
-- customer that has the external_ref, of a contact that is what another is to become; null if the caller may not
-- change the customer (FOR UPDATE applies the policies for update). Two patches of one customer
-- take turns.
select jsonb_build_object('duplicate', (
  select other.id from public.customers other
  where other.org_id = c.org_id and other.external_ref = $1 ->> 'external_ref' and other.id <> c.id),
  'contact', (
  select x.id
  from jsonb_to_recordset($1 -> 'contacts') as g (id uuid, set jsonb)
  join public.customer_contacts x on x.org_id = c.org_id and x.customer_id = c.id and x.id <> g.id
    and x.type::text = g.set ->> 'type' and x.value = g.set ->> 'value'
  limit 1))
from public.customers c
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
for update
