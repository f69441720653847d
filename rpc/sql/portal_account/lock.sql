-- In: {org_id, id}. Out: {id, customer_id, role, status, closed: whether the customer takes nothing new}, or null. Changes of one
-- account take turns.
select jsonb_build_object('id', a.id, 'customer_id', a.customer_id, 'role', a.role, 'status', a.status,
  'closed', c.erased_at is not null or c.merged_into_id is not null)
from public.portal_accounts a
join public.customers c on c.org_id = a.org_id and c.id = a.customer_id
where a.org_id = ($1 ->> 'org_id')::uuid and a.id = ($1 ->> 'id')::uuid
for no key update of a
