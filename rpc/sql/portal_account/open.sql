-- In: {org_id, user_id, customer_id, role, profile_role, full_name, phone, invited_via, invite_id or null, access}. Out: {id}, or null
-- where the user belongs to an org already. Everything that an account is, at once; the user's primary key is what makes it one.
-- What was merged since it was put on the list of an invitation is what it was merged into.
with login as materialized (
  select u.id, lower(u.email) as email from auth.users u where u.id = ($1 ->> 'user_id')::uuid
), profile as (
  insert into public.profiles (id, org_id, role, email, full_name, phone)
  select l.id, ($1 ->> 'org_id')::uuid, $1 ->> 'profile_role', l.email, $1 ->> 'full_name', $1 ->> 'phone' from login l
  on conflict (id) do nothing
  returning id, org_id, email
), account as (
  insert into public.portal_accounts (org_id, user_id, customer_id, primary_location_id, role, invited_via)
  select p.org_id, p.id, c.id, c.primary_location_id, ($1 ->> 'role')::public.portal_account_role,
    ($1 ->> 'invited_via')::public.portal_invited_via
  from profile p join public.customers c on c.org_id = p.org_id and c.id = ($1 ->> 'customer_id')::uuid
  returning id, org_id, customer_id
), preferences as (
  insert into public.portal_notification_preferences (org_id, portal_account_id) select a.org_id, a.id from account a
), invite as (
  update public.portal_invites i set used_at = now(), portal_account_id = a.id
  from account a where i.org_id = a.org_id and i.id = ($1 ->> 'invite_id')::uuid
), access as (
  insert into public.portal_account_access (org_id, portal_account_id, customer_id, location_id, created_by_user_id)
  select distinct a.org_id, a.id, c.id, l.id, i.created_by_user_id
  from account a
  join public.portal_invites i on i.org_id = a.org_id and i.id = ($1 ->> 'invite_id')::uuid
  cross join lateral jsonb_to_recordset(i.access) as g (customer_id uuid, location_id uuid)
  join public.customers given on given.org_id = a.org_id and given.id = g.customer_id
  join public.customers c on c.org_id = a.org_id and c.id = coalesce(given.merged_into_id, given.id) and c.erased_at is null
  left join public.customer_locations l on l.org_id = a.org_id and l.customer_id = c.id and l.id = g.location_id
  where g.location_id is null or l.id is not null
), verified as (
  update public.customer_contacts k set is_verified = true
  from account a, profile p
  -- Staff see the token of an invitation too: who accepts one has not shown that the address is theirs.
  where $1 ->> 'invited_via' = 'self_signup' and k.org_id = a.org_id and k.customer_id = a.customer_id and k.type = 'email'
    and k.value = p.email and not k.is_verified
), waited as (
  delete from fieldcrm.portal_signups s using profile p where s.user_id = p.id
), written as (
  insert into public.portal_audit_events (org_id, portal_account_id, event_type, event_payload, ip_address, user_agent)
  select a.org_id, a.id, 'account_created', jsonb_build_object('invited_via', $1 -> 'invited_via'), r.ip, r.user_agent
  from account a, fieldcrm.request_context() r
)
select jsonb_build_object('id', a.id) from account a
