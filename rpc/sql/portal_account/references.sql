-- In: {org_id, customer_id or null, email or null, access}. Out: {customer: whether the org has it, closed, contact_id: the customer's
-- contact with that address, access: whether the org has all of the list, portal_url, org_name}.
with given as materialized (
  select g.customer_id, g.location_id
  from jsonb_to_recordset($1 -> 'access') as g (customer_id uuid, location_id uuid)
)
select jsonb_build_object('customer', c.id is not null, 'closed', c.erased_at is not null or c.merged_into_id is not null,
  'contact_id', (
    select k.id from public.customer_contacts k
    where k.org_id = o.id and k.customer_id = c.id and k.type = 'email' and k.value = $1 ->> 'email'),
  'access', not exists (
    select from given g
    where not exists (
        select from public.customers x
        where x.org_id = o.id and x.id = g.customer_id and x.erased_at is null and x.merged_into_id is null)
      or g.location_id is not null and not exists (
        select from public.customer_locations l where l.org_id = o.id and l.customer_id = g.customer_id and l.id = g.location_id)),
  'portal_url', s.portal_url, 'org_name', o.name)
from public.orgs o
left join public.customers c on c.org_id = o.id and c.id = ($1 ->> 'customer_id')::uuid
left join public.portal_settings s on s.org_id = o.id
where o.id = ($1 ->> 'org_id')::uuid
