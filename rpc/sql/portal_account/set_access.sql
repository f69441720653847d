-- In: {org_id, id, access, user_id}. Out: {access: the list as it is now}. Runs as owner, after portal_account/lock.sql: the whole
-- list, what is on it already stays as it is.
with given as materialized (
  select distinct g.customer_id, g.location_id
  from jsonb_to_recordset($1 -> 'access') as g (customer_id uuid, location_id uuid)
), dropped as (
  delete from public.portal_account_access x
  where x.org_id = ($1 ->> 'org_id')::uuid and x.portal_account_id = ($1 ->> 'id')::uuid and not exists (
    select from given g where g.customer_id = x.customer_id and g.location_id is not distinct from x.location_id)
), added as (
  insert into public.portal_account_access (org_id, portal_account_id, customer_id, location_id, created_by_user_id)
  select ($1 ->> 'org_id')::uuid, ($1 ->> 'id')::uuid, g.customer_id, g.location_id, ($1 ->> 'user_id')::uuid
  from given g
  on conflict on constraint portal_account_access_key do nothing
)
select jsonb_build_object('portal_account_id', $1 -> 'id', 'access', coalesce(jsonb_agg(
  jsonb_build_object('customer_id', g.customer_id, 'location_id', g.location_id) order by g.customer_id, g.location_id), '[]'))
from given g
