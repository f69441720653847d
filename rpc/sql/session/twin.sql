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
  return (fieldcrm.load_session() ->> 'org_id')::uuid;
end $$;

create or replace function fieldcrm.current_profile_id() returns uuid
language plpgsql stable set search_path = '' as $$
begin
  return (fieldcrm.load_session() ->> 'profile_id')::uuid;
end $$;

create or replace function fieldcrm.has_capability(capability text) returns boolean
language plpgsql stable set search_path = '' as $$
declare
  session constant jsonb := fieldcrm.load_session();
  role constant text := session ->> 'role';
begin
  if capability not in ('org.manage', 'members.read', 'members.manage', 'customers.read', 'customers.write',
    'customers.write_own', 'customers.assign', 'customers.delete', 'tags.write', 'customers.export',
    'interactions.write', 'followups.write', 'followups.write_own', 'templates.write', 'products.read', 'products.write',
    'work_orders.write', 'work_orders.perform', 'billing.write', 'segments.write', 'automation.write',
    'messages.send', 'clients.manage', 'clients.create', 'portal.manage', 'kb.write', 'audit.read') then
    raise exception using errcode = '22023', message = format('there is no capability "%s"', capability);
  end if;
  if session ->> 'org_id' is null then
    return false;
  end if;
  return (session ->> 'service')::boolean or role in ('owner', 'admin') or coalesce(case
    when capability in ('members.manage', 'customers.delete', 'audit.read') then false
    when capability in ('org.manage', 'customers.assign', 'customers.export', 'templates.write', 'products.write',
        'automation.write', 'clients.manage') then role = 'manager'
    when capability in ('customers.write', 'tags.write', 'billing.write', 'segments.write', 'clients.create')
      then role in ('manager', 'csr', 'sales')
    when capability in ('portal.manage', 'kb.write') then role in ('manager', 'csr')
    when capability = 'customers.write_own' then role in ('manager', 'csr', 'sales', 'member')
    when capability in ('interactions.write', 'followups.write', 'messages.send') then role in ('manager', 'csr', 'sales', 'dispatcher')
    when capability = 'followups.write_own' then role in ('manager', 'csr', 'sales', 'dispatcher', 'member')
    when capability = 'work_orders.write' then role in ('manager', 'csr', 'dispatcher')
    when capability = 'work_orders.perform' then role in ('manager', 'technician')
    when capability = 'products.read'
      then role in ('manager', 'csr', 'sales', 'member', 'dispatcher', 'viewer', 'technician')
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
