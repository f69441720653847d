-- In: {org_id, id}. Out: {deleted: whether it is gone, id}, or null. Who signs in to the portal keeps their customer: the
-- foreign key does not let it go, and this says why.
with account as materialized (
  select from public.portal_accounts a
  where a.org_id = ($1 ->> 'org_id')::uuid and a.customer_id = ($1 ->> 'id')::uuid
  limit 1
), customer as materialized (
  select c.id from public.customers c where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
), deleted as (
  delete from public.customers c using customer x
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = x.id and not exists (select from account)
  returning c.id
)
select jsonb_build_object('deleted', exists (select from deleted), 'id', c.id)
from customer c
where exists (select from account) or exists (select from deleted)
