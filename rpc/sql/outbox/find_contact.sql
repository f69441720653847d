-- In: {org_id, customer_id, contact_id or null}. Out: {contact: whether it is one of the customer}; null where the org has no
-- such customer.
select jsonb_build_object('contact', $1 ->> 'contact_id' is null or exists (
  select from public.customer_contacts e
  where e.org_id = c.org_id and e.customer_id = c.id and e.id = ($1 ->> 'contact_id')::uuid))
from public.customers c
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'customer_id')::uuid
