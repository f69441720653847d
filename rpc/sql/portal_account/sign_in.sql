-- In: {org_id, id, user_id, scope}. Out: {org, profile, customers: of which the account sees something}. Notes that its owner is here.
with seen as (
  update public.portal_accounts a set last_login_at = now()
  where a.org_id = ($1 ->> 'org_id')::uuid and a.id = ($1 ->> 'id')::uuid
)
select jsonb_build_object(
  'org', jsonb_build_object('id', o.id, 'name', o.name, 'time_zone', o.time_zone, 'currency', o.currency, 'slug', s.slug),
  'profile', jsonb_build_object('full_name', p.full_name, 'email', p.email, 'phone', p.phone, 'avatar_url', p.avatar_url),
  'customers', (
    select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name) order by c.name, c.id), '[]')
    from public.customers c
    where c.org_id = o.id and c.id in (select x.customer_id from jsonb_to_recordset($1 -> 'scope') as x (customer_id uuid))))
from public.orgs o
join public.profiles p on p.org_id = o.id and p.id = ($1 ->> 'user_id')::uuid
left join public.portal_settings s on s.org_id = o.id
where o.id = ($1 ->> 'org_id')::uuid
