-- In: {org_id, id, external_ref or null, contacts: {change, add}}. Out: {closed, merged_into_id, duplicate, contact}:
-- whether it was erased or merged; the id of the customer that has the external_ref, of a contact that is what another is to become, or that is both changed and
-- to be added; null if the caller may not change the customer (FOR UPDATE applies the policies for update). Two
-- patches of one customer take turns.
select jsonb_build_object('closed', c.erased_at is not null or c.merged_into_id is not null, 'merged_into_id', c.merged_into_id,
  'duplicate', (
  select other.id from public.customers other
  where other.org_id = c.org_id and other.external_ref = $1 ->> 'external_ref' and other.id <> c.id),
  'contact', (
  select x.id
  from jsonb_to_recordset($1 -> 'contacts' -> 'change') as g (id uuid, set jsonb)
  join public.customer_contacts x on x.org_id = c.org_id and x.customer_id = c.id
    and case when x.id <> g.id then x.type::text = g.set ->> 'type' and x.value = g.set ->> 'value'
        and not ($1 -> 'contacts' -> 'delete' ? x.id::text)
      else not g.set ? 'value' and exists (select from jsonb_to_recordset($1 -> 'contacts' -> 'add') as a (type text, value text, endpoint boolean)
        where a.type = x.type::text and a.value = x.value and a.endpoint is not true) end
  limit 1))
from public.customers c
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
for update
