-- In: {org_id, id, contact_id or null, location_id or null}: which child becomes the primary one.
-- Where none is named and none is left, the oldest becomes it.
-- The flag is taken away before it is given (the unique index allows one a customer): the count
-- makes the second update wait for the first.
with customer as materialized (
  select c.org_id, c.id,
    coalesce(($1 ->> 'contact_id')::uuid, c.primary_contact_id, (
      select x.id from public.customer_contacts x where x.org_id = c.org_id and x.customer_id = c.id
      order by x.created_at, x.id limit 1)) as contact_id,
    coalesce(($1 ->> 'location_id')::uuid, c.primary_location_id, (
      select x.id from public.customer_locations x where x.org_id = c.org_id and x.customer_id = c.id
      order by x.created_at, x.id limit 1)) as location_id
  from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
), contact_off as (
  update public.customer_contacts x set is_primary = false from customer c
  where x.org_id = c.org_id and x.customer_id = c.id and x.is_primary and x.id <> c.contact_id
  returning x.id
), contact_on as (
  update public.customer_contacts x set is_primary = true from customer c
  where x.org_id = c.org_id and x.customer_id = c.id and x.id = c.contact_id and not x.is_primary
    and (select count(*) from contact_off) >= 0
), location_off as (
  update public.customer_locations x set is_primary = false from customer c
  where x.org_id = c.org_id and x.customer_id = c.id and x.is_primary and x.id <> c.location_id
  returning x.id
), location_on as (
  update public.customer_locations x set is_primary = true from customer c
  where x.org_id = c.org_id and x.customer_id = c.id and x.id = c.location_id and not x.is_primary
    and (select count(*) from location_off) >= 0
)
update public.customers t set primary_contact_id = c.contact_id, primary_location_id = c.location_id
from customer c
where t.org_id = c.org_id and t.id = c.id
  and (t.primary_contact_id, t.primary_location_id) is distinct from (c.contact_id, c.location_id)
returning '{}'::jsonb
