-- The SQL twin of the extension's helpers (pg_ext/src/session.rs), for servers that load no native
-- extension. The native tests run on it and compare its answers, and its matrix, with core's.
create or replace function fieldcrm.session() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.load_session();
end $$;

create or replace function fieldcrm.current_org_id() returns uuid
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.load_session() ->> 'org_id';
end $$;

create or replace function fieldcrm.current_profile_id() returns uuid
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.load_session() ->> 'profile_id';
end $$;

create or replace function fieldcrm.has_capability(capability text) returns boolean
language plpgsql stable set search_path = '' as $$
declare
  session constant jsonb := fieldcrm.load_session();
  role constant text := session ->> 'role';
begin
  if capability not in ('org.manage', 'members.read', 'members.manage', 'customers.read', 'customers.write',
    'customers.write_own', 'customers.assign', 'customers.delete', 'tags.write') then
    raise exception using errcode = '22023', message = format('there is no capability "%s"', capability);
  end if;
  if session ->> 'org_id' is null then
    return false;
  end if;
  return (session ->> 'service')::boolean or role in ('owner', 'admin') or coalesce(case capability
    when 'org.manage' then role in ('manager')
    when 'members.manage' then false
    when 'customers.assign' then role in ('manager')
    when 'customers.delete' then false
    when 'customers.write' then role in ('manager', 'csr', 'sales')
    when 'tags.write' then role in ('manager', 'csr', 'sales')
    when 'customers.write_own' then role in ('manager', 'csr', 'sales', 'member')
    else role in ('manager', 'csr', 'sales', 'member', 'dispatcher', 'viewer')
  end, false);
end $$;

create or replace function fieldcrm.is_staff() returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(fieldcrm.load_session() ->> 'role' not in ('portal_customer', 'portal_manager'), false);
end $$;

revoke all on function fieldcrm.current_org_id(), fieldcrm.current_profile_id(), fieldcrm.has_capability(text),
  fieldcrm.is_staff(), fieldcrm.session() from public;
grant execute on function fieldcrm.current_org_id(), fieldcrm.current_profile_id(), fieldcrm.has_capability(text),
  fieldcrm.is_staff(), fieldcrm.session() to anon, authenticated, service_role;
