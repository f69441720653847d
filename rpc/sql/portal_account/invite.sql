-- In: {org_id, user_id, customer_id, email, role, access, hours}. Out: the invitation with its token, and no message yet.
-- Runs as owner. Two random UUIDs are 244 bits from the server's strong source.
with secret as materialized (
  select replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '') as token
), made as (
  insert into public.portal_invites (org_id, customer_id, email, role, access, token_hash, expires_at, created_by_user_id)
  select ($1 ->> 'org_id')::uuid, ($1 ->> 'customer_id')::uuid, $1 ->> 'email', ($1 ->> 'role')::public.portal_account_role,
    $1 -> 'access', sha256(convert_to(s.token, 'UTF8')), now() + make_interval(hours => ($1 ->> 'hours')::integer),
    ($1 ->> 'user_id')::uuid
  from secret s
  returning id, customer_id, email, role, access, expires_at, created_at
)
select to_jsonb(m) || jsonb_build_object('message', null, 'token', s.token) from made m, secret s
