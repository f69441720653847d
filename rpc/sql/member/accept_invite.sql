-- In: {token, user_id, full_name}. Out: {outcome}: accepted, already_member, unconfirmed, email_mismatch, not_found.
-- Runs as owner. The lock makes the token single-use: the second of two calls sees accepted_at set.
with invite as materialized (
  select i.* from public.org_invites i
  where i.token_hash = sha256(convert_to($1 ->> 'token', 'UTF8'))
    and i.accepted_at is null and i.expires_at > now()
  for update
), invited as materialized (
  select u.id, lower(u.email) as email, i.org_id, i.role, i.id as invite_id, u.email_confirmed_at is not null as is_confirmed
  from invite i, auth.users u
  where u.id = ($1 ->> 'user_id')::uuid and lower(u.email) = i.email
), profile as (
  insert into public.profiles (id, org_id, role, email, full_name)
  select u.id, u.org_id, u.role, u.email, $1 ->> 'full_name' from invited u where u.is_confirmed
  on conflict (id) do nothing
  returning id
), used as (
  update public.org_invites i set accepted_at = now(), accepted_by_user_id = p.id
  from profile p, invited u where i.id = u.invite_id
  returning i.id
)
select jsonb_build_object('outcome', case
  when exists (select from used) then 'accepted'
  when exists (select from invited u where u.is_confirmed) then 'already_member'
  when exists (select from invited) then 'unconfirmed'
  when exists (select from invite) then 'email_mismatch'
  else 'not_found' end)
