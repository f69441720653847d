revoke all on function fieldcrm.current_org_id(), fieldcrm.current_profile_id(), fieldcrm.has_capability(text),
  fieldcrm.is_staff(), fieldcrm.session(), fieldcrm.describe_session(text) from public;
grant execute on function fieldcrm.current_org_id(), fieldcrm.current_profile_id(), fieldcrm.has_capability(text),
  fieldcrm.is_staff(), fieldcrm.session() to anon, authenticated, service_role;
grant execute on function fieldcrm.describe_session(text) to authenticated, service_role;
comment on function fieldcrm.current_org_id() is
  'The org of the caller''s active profile; in sessions that bypass RLS, app.current_org_id.';
comment on function fieldcrm.current_profile_id() is 'The caller''s active profile (= auth.users.id), or null.';
comment on function fieldcrm.has_capability(text) is
  'Whether the caller has the capability in the current org. Unknown names raise 22023.';
comment on function fieldcrm.is_staff() is 'Whether the caller''s role belongs to the company (any non-portal role).';
comment on function fieldcrm.session() is 'fieldcrm.load_session(), remembered for the snapshot.';

create or replace function public.crm_session() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.describe_session('{}'));
end $$;
comment on function public.crm_session() is $$Who am I: {user_id, org, profile, role, service, capabilities}.
org, profile and role are null for a user without an active membership.
Example: select crm_session();$$;
revoke all on function public.crm_session() from public, anon, authenticated, service_role;
grant execute on function public.crm_session() to authenticated, service_role;
