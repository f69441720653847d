revoke all on function fieldcrm.invite_member(text), fieldcrm.accept_invite(text), fieldcrm.set_member_role(text),
  fieldcrm.deactivate_member(text) from public;
grant execute on function fieldcrm.invite_member(text), fieldcrm.set_member_role(text),
  fieldcrm.deactivate_member(text) to authenticated, service_role;
grant execute on function fieldcrm.accept_invite(text) to authenticated;

create or replace function public.crm_invite_member(email text, role text, expires_in_hours integer default 168)
returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.invite_member(json_build_object(
    'email', email, 'role', role, 'expires_in_hours', expires_in_hours)::text));
end $$;
comment on function public.crm_invite_member(text, text, integer) is $$Invites somebody into the caller's org.
role: a staff role the caller may give; expires_in_hours: 1 to 2160.
Returns {id, email, role, expires_at, token}; the token is shown only here. Needs members.manage.
Errors: 400 invalid_argument, 403 forbidden, 403 role_not_grantable.
Example: select crm_invite_member(email => 'ada@example.com', role => 'csr');$$;

create or replace function public.crm_accept_invite(token text, full_name text default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.accept_invite(json_build_object('token', token, 'full_name', full_name)::text));
end $$;
comment on function public.crm_accept_invite(text, text) is $$Makes the signed-in user a member of the org that invited them.
token: from crm_invite_member, single use; full_name: at most 200 characters. Returns what crm_session() returns.
Errors: 400 invalid_argument, 403 invite_email_mismatch, 404 invite_not_found (also expired or used), 409 already_member,
409 wrong_state (the login's e-mail address is not confirmed).
Example: select crm_accept_invite(token => '…', full_name => 'Ada Lovelace');$$;

create or replace function public.crm_set_member_role(user_id uuid, role text) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.set_member_role(json_build_object('user_id', user_id, 'role', role)::text));
end $$;
comment on function public.crm_set_member_role(uuid, text) is $$Gives a member of the caller's org another role and makes them active.
Another role withdraws the open invitations that the member made. Nobody raises their own role; owners are made by
owners. Returns {id, email, full_name, role, status}. Needs members.manage.
Errors: 400 invalid_argument, 403 forbidden, 403 role_not_grantable, 404 not_found, 409 last_owner.
Example: select crm_set_member_role(user_id => '…', role => 'manager');$$;

create or replace function public.crm_deactivate_member(user_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.deactivate_member(json_build_object('user_id', user_id)::text));
end $$;
comment on function public.crm_deactivate_member(uuid) is $$Takes a member's rights away, from their next statement on, and withdraws the open
invitations that they made. Returns {id, email, full_name, role, status}. Needs members.manage.
Errors: 403 forbidden, 403 role_not_grantable, 404 not_found, 409 last_owner, 422 rule_broken (oneself).
Example: select crm_deactivate_member(user_id => '…');$$;

revoke all on function public.crm_invite_member(text, text, integer), public.crm_accept_invite(text, text),
  public.crm_set_member_role(uuid, text), public.crm_deactivate_member(uuid)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_invite_member(text, text, integer), public.crm_set_member_role(uuid, text),
  public.crm_deactivate_member(uuid) to authenticated, service_role;
grant execute on function public.crm_accept_invite(text, text) to authenticated;
