-- In: {org_id, id, set: {status, role, primary_location_id}, profile_role, reopen}. Out: the account; null where the location is
-- none of the customer's. Runs as owner, after portal_account/lock.sql. The profile goes with the account: its role says what it
-- is, and who was deactivated as a member comes back when the account is opened again.
with changed as (
  update public.portal_accounts a
  set status = coalesce(($1 -> 'set' ->> 'status')::public.portal_account_status, a.status),
    role = coalesce(($1 -> 'set' ->> 'role')::public.portal_account_role, a.role),
    primary_location_id = case when $1 -> 'set' ? 'primary_location_id' then ($1 -> 'set' ->> 'primary_location_id')::uuid
      else a.primary_location_id end
  where a.org_id = ($1 ->> 'org_id')::uuid and a.id = ($1 ->> 'id')::uuid
    and ($1 -> 'set' ->> 'primary_location_id' is null or exists (
      select from public.customer_locations l
      where l.org_id = a.org_id and l.customer_id = a.customer_id and l.id = ($1 -> 'set' ->> 'primary_location_id')::uuid))
  returning a.*
), profile as (
  update public.profiles p
  set role = coalesce($1 ->> 'profile_role', p.role), status = case when ($1 ->> 'reopen')::boolean then 'active' else p.status end
  from changed a
  where p.org_id = a.org_id and p.id = a.user_id and p.role in ('portal_customer', 'portal_manager')
    and (p.role is distinct from coalesce($1 ->> 'profile_role', p.role) or ($1 ->> 'reopen')::boolean and p.status <> 'active')
), freed as (
  -- What was booked is the staff's to decide; what was only held is free.
  delete from public.portal_booking_holds h using changed a
  where h.org_id = a.org_id and h.portal_account_id = a.id and h.booking_request_id is null and a.status in ('suspended', 'closed')
)
select to_jsonb(a) - 'org_id' from changed a
