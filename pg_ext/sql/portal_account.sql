revoke all on function fieldcrm.create_portal_invite(text), fieldcrm.revoke_portal_invite(text), fieldcrm.update_portal_account(text),
  fieldcrm.set_portal_access(text), fieldcrm.find_portal_signup(text), fieldcrm.register_portal_signup(text),
  fieldcrm.find_portal_invite(text), fieldcrm.accept_portal_invite(text), fieldcrm.complete_portal_signup(text),
  fieldcrm.sign_in_to_portal(text), fieldcrm.portal_dashboard(text), fieldcrm.get_portal_settings(text),
  fieldcrm.update_portal_profile(text), fieldcrm.update_portal_notifications(text), fieldcrm.log_portal_event(text) from public;
grant execute on function fieldcrm.create_portal_invite(text), fieldcrm.revoke_portal_invite(text), fieldcrm.update_portal_account(text),
  fieldcrm.set_portal_access(text) to authenticated, service_role;
grant execute on function fieldcrm.find_portal_signup(text), fieldcrm.register_portal_signup(text), fieldcrm.find_portal_invite(text),
  fieldcrm.accept_portal_invite(text) to service_role;
grant execute on function fieldcrm.complete_portal_signup(text), fieldcrm.sign_in_to_portal(text), fieldcrm.portal_dashboard(text),
  fieldcrm.get_portal_settings(text), fieldcrm.update_portal_profile(text), fieldcrm.update_portal_notifications(text),
  fieldcrm.log_portal_event(text) to authenticated;
grant execute on function fieldcrm.log_portal_event(text) to service_role;

create or replace function public.crm_create_portal_invite(
  customer_id uuid, email text, role text default 'customer', access jsonb default '[]',
  expires_in_hours integer default 168, send boolean default false, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.create_portal_invite(json_build_object(
    'customer_id', customer_id, 'email', email, 'role', role, 'access', access, 'expires_in_hours', expires_in_hours, 'send', send, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_create_portal_invite(uuid, text, text, jsonb, integer, boolean, text) is $$Invites somebody of a customer to the portal. role: customer, property_manager, billing_contact or admin; access: what else a property_manager
or admin sees, [{customer_id, location_id: null for all}]; expires_in_hours: 1 to 2160; send: whether the link goes out by e-mail (to a contact
of the customer, with portal_settings.portal_url before /invite/<token>). Returns {id, customer_id, email, role, access, expires_at, created_at,
message (null unless sent), token}; the token is answered only here, and stands in the mail if one is sent: a repeat under the key has none. Needs portal.manage.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 wrong_state (a closed customer; no portal_url), 409 idempotency_key_reused.
Example: select crm_create_portal_invite(customer_id => '…', email => 'ada@example.com');$$;

create or replace function public.crm_revoke_portal_invite(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.revoke_portal_invite(json_build_object('id', id)::text));
end $$;
comment on function public.crm_revoke_portal_invite(uuid) is $$Withdraws an invitation. Returns {id, revoked_at}. Needs portal.manage.
Errors: 403 forbidden, 404 not_found, 409 wrong_state (it was accepted).
Example: select crm_revoke_portal_invite(id => '…');$$;

create or replace function public.crm_update_portal_account(id uuid, patch jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.update_portal_account(json_build_object('id', id, 'patch', patch)::text));
end $$;
comment on function public.crm_update_portal_account(uuid, jsonb) is $$Changes an account: patch of status (active, suspended, closed), role, primary_location_id (of the account's customer; null: none). The role of
the profile follows; active brings back a profile that crm_deactivate_member took the rights of. Returns the columns of portal_accounts.
Needs portal.manage. Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 wrong_state (the customer was erased or merged).
Example: select crm_update_portal_account(id => '…', patch => '{"status": "suspended"}');$$;

create or replace function public.crm_set_portal_access(portal_account_id uuid, access jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.set_portal_access(json_build_object('portal_account_id', portal_account_id, 'access', access)::text));
end $$;
comment on function public.crm_set_portal_access(uuid, jsonb) is $$Says which other customers the account of a property_manager or admin sees: the whole list, [{customer_id, location_id: null for all}], at
most 500. Returns {portal_account_id, access}. Needs portal.manage. Errors: 400 invalid_argument, 403 forbidden, 404 not_found.
Example: select crm_set_portal_access(portal_account_id => '…', access => '[{"customer_id": "…"}]');$$;

create or replace function public.portal_find_signup(slug text, full_name text default null, phone text default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.find_portal_signup(json_build_object(
    'slug', slug, 'full_name', full_name, 'phone', phone)::text));
end $$;
comment on function public.portal_find_signup(text, text, text) is $$Which org customers sign up with under a slug: {org: {name, slug}}. With full_name it says too whether a sign-up
could have that name and phone. For the service role. Errors: 400 invalid_argument, 403 forbidden (a signed-in user), 404 not_found (nobody can sign up there).
Example: select portal_find_signup(slug => 'northwind');$$;

create or replace function public.portal_register_signup(
  user_id uuid, slug text, full_name text,
  phone text default null, booking_reference uuid default null, idempotency_key text default null, fingerprint text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.register_portal_signup(json_build_object(
    'user_id', user_id, 'slug', slug, 'full_name', full_name, 'phone', phone, 'booking_reference', booking_reference,
    'idempotency_key', idempotency_key, 'fingerprint', fingerprint)::text));
end $$;
comment on function public.portal_register_signup(uuid, text, text, text, uuid, text, text) is $$Keeps what a new user said until their e-mail address is verified. booking_reference: the id of a visit, booking, quote or invoice; it tells
customers apart that have the same address and never links by itself. What was kept first stays. fingerprint: a keyed hash of what was sent,
password and all, which one idempotency_key is for. Returns {registered}: false for a user of some org, or of nobody. For the service role.
Errors: 400 invalid_argument, 403 forbidden (a signed-in user), 404 not_found (nobody can sign up there), 409 idempotency_key_reused.
Example: select portal_register_signup(user_id => '…', slug => 'northwind', full_name => 'Ada Lovelace');$$;

create or replace function public.portal_complete_signup() returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.complete_portal_signup('{}'));
end $$;
comment on function public.portal_complete_signup() is $$Gives the signed-in user the account that they signed up for, once, with a new customer. Returns {status, account}; status: active;
verification_required: verify the address first; verify: a customer of the org has the address, and an invitation went to it (one an hour), since a
login does not show whose it is; review: several customers have it, or nothing may be sent to it: nobody is linked, staff were told.
Errors: 401 unauthenticated, 403 no_membership (no sign-up waits), 403 portal_account_inactive, 403 forbidden (second_factor), 409 already_member.
Example: select portal_complete_signup();$$;

create or replace function public.portal_find_invite(
  token text, idempotency_key text default null, fingerprint text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.find_portal_invite(json_build_object(
    'token', token, 'idempotency_key', idempotency_key, 'fingerprint', fingerprint)::text));
end $$;
comment on function public.portal_find_invite(text, text, text) is $$For whom an invitation is: {email, org: {name}, role, expires_at, status: open or used,
user: {id, is_confirmed} or null}. idempotency_key and fingerprint: as portal_register_signup has them. For the service role.
Errors: 403 forbidden (a signed-in user), 404 invite_not_found (also expired or revoked), 409 idempotency_key_reused.
Example: select portal_find_invite(token => '…');$$;

create or replace function public.portal_accept_invite(
  token text, user_id uuid, full_name text default null, idempotency_key text default null, fingerprint text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.accept_portal_invite(json_build_object('token', token, 'user_id', user_id, 'full_name', full_name,
    'idempotency_key', idempotency_key, 'fingerprint', fingerprint)::text));
end $$;
comment on function public.portal_accept_invite(text, uuid, text, text, text) is $$Gives a user the account that they were invited to, and ends every session of theirs. Single use; the user's address must be the one that was
invited, and nothing but it and a password may open the login (no phone, other provider, second factor or pending change of address).
idempotency_key and fingerprint: as portal_register_signup has them. Returns {account_id, org}. For the service role. Errors: 400 invalid_argument, 403 forbidden (a signed-in user), 403 invite_email_mismatch, 404 invite_not_found (also
expired, used or revoked), 409 already_member, 409 wrong_state (login_not_plain), 409 idempotency_key_reused.
Example: select portal_accept_invite(token => '…', user_id => '…');$$;

create or replace function public.portal_session(idempotency_key text default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.sign_in_to_portal(json_build_object('idempotency_key', idempotency_key)::text));
end $$;
comment on function public.portal_session(text) is $$The caller is here: noted in portal_audit_events and portal_accounts.last_login_at; completes a sign-up that waited for it. Returns {status,
account, org, profile, customers, permissions}, or what portal_complete_signup() says where that is not active.
Errors: as there, 409 idempotency_key_reused.
Example: select portal_session();$$;

create or replace function public.portal_dashboard() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_dashboard('{}'));
end $$;
comment on function public.portal_dashboard() is $$What the caller's portal begins with: {next_appointment, open_threads, unread_messages, invoices: {count, amount_due, currency}, open_bookings,
active_memberships}. Errors: 401 unauthenticated, 403 no_membership, 403 portal_account_inactive.
Example: select portal_dashboard();$$;

create or replace function public.portal_get_settings() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.get_portal_settings('{}'));
end $$;
comment on function public.portal_get_settings() is $$The caller's {account, profile, locations, contacts, notifications}: locations of everything they see, contacts of their own customer.
Errors: 401 unauthenticated, 403 no_membership, 403 portal_account_inactive.
Example: select portal_get_settings();$$;

create or replace function public.portal_update_profile(patch jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.update_portal_profile(json_build_object('patch', patch)::text));
end $$;
comment on function public.portal_update_profile(jsonb) is $$Changes the caller's profile: patch of full_name, phone, preferred_language, primary_location_id; absent: left, null: cleared. A number replaces
the profile's earlier one among the customer's contacts unless that is verified, else it is added; it is not verified there, and the
customer's own number stays. Returns what portal_get_settings() returns.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 404 not_found (a location of others).
Example: select portal_update_profile(patch => '{"phone": "+14155552671"}');$$;

create or replace function public.portal_update_notifications(patch jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.update_portal_notifications(json_build_object('patch', patch)::text));
end $$;
comment on function public.portal_update_notifications(jsonb) is $$Changes what the caller wants to be told: patch of notify_booking_updates_email, notify_booking_updates_sms, notify_marketing_email,
notify_marketing_sms, notify_technician_enroute, quiet_hours_start and quiet_hours_end (together; null: none), timezone (IANA; null: the org's).
Returns the preferences. Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive.
Example: select portal_update_notifications(patch => '{"notify_marketing_email": false}');$$;

create or replace function public.portal_log_event(event_type text, user_id uuid default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.log_portal_event(json_build_object('event_type', event_type, 'user_id', user_id)::text));
end $$;
comment on function public.portal_log_event(text, uuid) is $$Notes what somebody did with their login: logout, which is all that a signed-in caller says; for the service role, which names the
user_id, also password_changed, mfa_enrolled, mfa_enabled and mfa_disabled. A caller's logout is noted once in five minutes. Returns {event_type}.
Errors: 400 invalid_argument, 401 unauthenticated, 403 forbidden, 403 no_membership, 403 portal_account_inactive, 404 not_found (user_id has no account).
Example: select portal_log_event(event_type => 'logout');$$;

revoke all on function public.crm_create_portal_invite(uuid, text, text, jsonb, integer, boolean, text),
    public.crm_revoke_portal_invite(uuid),
    public.crm_update_portal_account(uuid, jsonb),
    public.crm_set_portal_access(uuid, jsonb),
    public.portal_find_signup(text, text, text),
    public.portal_register_signup(uuid, text, text, text, uuid, text, text),
    public.portal_find_invite(text, text, text),
    public.portal_accept_invite(text, uuid, text, text, text),
    public.portal_complete_signup(),
    public.portal_session(text),
    public.portal_dashboard(),
    public.portal_get_settings(),
    public.portal_update_profile(jsonb),
    public.portal_update_notifications(jsonb),
    public.portal_log_event(text, uuid)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_create_portal_invite(uuid, text, text, jsonb, integer, boolean, text),
    public.crm_revoke_portal_invite(uuid),
    public.crm_update_portal_account(uuid, jsonb),
    public.crm_set_portal_access(uuid, jsonb)
  to authenticated, service_role;
grant execute on function public.portal_find_signup(text, text, text),
    public.portal_register_signup(uuid, text, text, text, uuid, text, text),
    public.portal_find_invite(text, text, text),
    public.portal_accept_invite(text, uuid, text, text, text)
  to service_role;
grant execute on function public.portal_complete_signup(),
    public.portal_session(text),
    public.portal_dashboard(),
    public.portal_get_settings(),
    public.portal_update_profile(jsonb),
    public.portal_update_notifications(jsonb),
    public.portal_log_event(text, uuid)
  to authenticated;
grant execute on function public.portal_log_event(text, uuid) to service_role;
