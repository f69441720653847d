revoke all on function fieldcrm.create_org(text) from public;
grant execute on function fieldcrm.create_org(text) to authenticated;

create or replace function public.crm_create_org(
  name text, time_zone text default 'UTC', default_country text default 'US', full_name text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.create_org(json_build_object(
    'name', name, 'time_zone', time_zone, 'default_country', default_country, 'full_name', full_name)::text));
end $$;
comment on function public.crm_create_org(text, text, text, text) is $$Makes the signed-in user the owner of a new org.
name: 1 to 200 characters; time_zone: IANA name; default_country: ISO 3166-1 alpha-2; full_name: of the user,
at most 200.
Returns what crm_session() returns. Errors: 400 invalid_argument, 409 already_member.
Example: select crm_create_org(name => 'Northwind', time_zone => 'America/Chicago');$$;
revoke all on function public.crm_create_org(text, text, text, text) from public, anon, authenticated, service_role;
grant execute on function public.crm_create_org(text, text, text, text) to authenticated;
