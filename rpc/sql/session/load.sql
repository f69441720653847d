-- The one place that answers who is calling. The truth is the profile row: a claim only says which
-- row to read. app.current_org_id counts in sessions that bypass RLS anyway (service role, jobs,
-- DBAs); the role is the one set by SET ROLE, which a SECURITY DEFINER function does not change.
-- Such a session that carries the claims of a signed-in user acts for that user, with their rights.
-- pg_temp is named, and last: left out, it would be searched first, for types too.
-- PL/pgSQL, because it keeps its plans; an SQL function that is not inlined is planned at each call.
create or replace function fieldcrm.load_session() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  -- The form of a UUID, asked as every call asks it: a regular expression costs more than all the rest.
  form constant text := '________-____-____-____-____________';
  hex constant text := '0123456789abcdefABCDEF';
  claims constant jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  subject constant text := claims ->> 'sub';
  selected constant text := current_setting('app.current_org_id', true);
  caller constant uuid := case when subject like form and translate(subject, hex, '') = '----' then subject::uuid end;
  session jsonb;
begin
  if claims ->> 'role' is distinct from 'authenticated' then
    select jsonb_build_object('service', true, 'user_id', null, 'org_id', o.id, 'profile_id', null,
      'role', null, 'default_country', o.default_country)
    into session
    from pg_catalog.pg_roles r
    left join public.orgs o on o.id = case when selected like form and translate(selected, hex, '') = '----' then selected::uuid end
    where r.rolname = case current_setting('role') when 'none' then session_user::text else current_setting('role') end
      and (r.rolsuper or r.rolbypassrls);
    if found then
      return session;
    end if;
  end if;
  select jsonb_build_object('service', false, 'user_id', p.id, 'org_id', p.org_id, 'profile_id', p.id,
    'role', p.role, 'default_country', o.default_country)
  into session
  from public.profiles p join public.orgs o on o.id = p.org_id
  where p.id = caller and p.status = 'active';
  return coalesce(session, jsonb_build_object('service', false, 'user_id', caller, 'org_id', null,
    'profile_id', null, 'role', null, 'default_country', null));
end $$;
comment on function fieldcrm.load_session() is
  'The caller: {service, user_id, org_id, profile_id, role, default_country}; nulls for who is nobody.';
revoke all on function fieldcrm.load_session() from public;
grant execute on function fieldcrm.load_session() to anon, authenticated, service_role;
