-- In: {token}. Out: {id, org_id, org_name, customer_id, email, role, expires_at, status: open or used, user: {id, is_confirmed} or null}; null where
-- the token opens nothing any more. The lock makes it single-use: the second of two sees that it is used.
select jsonb_build_object('id', i.id, 'org_id', i.org_id, 'org_name', o.name, 'customer_id', i.customer_id, 'email', i.email,
  'role', i.role, 'expires_at', i.expires_at,
  'status', case when i.used_at is null then 'open' else 'used' end, 'user', (
    select jsonb_build_object('id', u.id, 'is_confirmed', u.email_confirmed_at is not null)
    from auth.users u where lower(u.email) = i.email and not u.is_sso_user limit 1))
from public.portal_invites i
join public.orgs o on o.id = i.org_id
where i.token_hash = sha256(convert_to($1 ->> 'token', 'UTF8'))
  and i.revoked_at is null and i.expires_at > now()
for update of i
