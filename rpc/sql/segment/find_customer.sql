-- In: {org_id, customer_id}. Out: whether there is such a customer.
select to_jsonb(exists (
  select from public.customers c where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'customer_id')::uuid))
