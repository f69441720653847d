-- What the contestants need: two tags that exist, and the RPC as it would be written by hand in
-- PL/pgSQL: statement by statement, with the same input, the same rows and the same result.
create schema bench;
grant usage on schema bench to authenticated;

insert into public.crm_tags (org_id, name)
select '11111111-1111-4111-8111-111111111111', name
from unnest(array['VIP', 'Commercial']) as name
on conflict (org_id, name_key) do nothing;

create function bench.create_customer(type text, name text, email text, locations jsonb, tags text[], preferences jsonb)
returns jsonb language plpgsql set search_path = '' as $$
declare
  org constant uuid := fieldcrm.current_org_id();
  profile constant uuid := fieldcrm.current_profile_id();
  address constant text := lower(btrim(create_customer.email));
  customer public.customers;
  contact public.customer_contacts;
  location public.customer_locations;
  preference public.crm_preferences;
  given jsonb;
  places jsonb := '[]';
  labels jsonb;
begin
  if org is null then
    raise exception using errcode = 'PT403', message = 'you are not a member of an org';
  end if;
  if not (fieldcrm.has_capability('customers.write') or fieldcrm.has_capability('customers.write_own')) then
    raise exception using errcode = 'PT403', message = 'you may not create customers';
  end if;
  if address !~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$' then
    raise exception using errcode = 'PT400', message = 'email is not an e-mail address';
  end if;
  insert into public.customers (org_id, type, name, email)
  values (org, create_customer.type::public.customer_type, create_customer.name, address)
  returning * into customer;
  insert into public.customer_contacts (org_id, customer_id, type, value, is_primary)
  values (org, customer.id, 'email', address, true)
  returning * into contact;
  for given in select jsonb_array_elements(create_customer.locations) loop
    insert into public.customer_locations (org_id, customer_id, label, address_line1, city, state, postal_code, is_primary)
    values (org, customer.id, given ->> 'label', given ->> 'address_line1', given ->> 'city', given ->> 'state',
      given ->> 'postal_code', places = '[]')
    returning * into location;
    places := places || to_jsonb(location);
  end loop;
  insert into public.crm_preferences (org_id, customer_id, do_not_call)
  values (org, customer.id, coalesce((create_customer.preferences ->> 'do_not_call')::boolean, false))
  returning * into preference;
  insert into public.crm_tags as t (org_id, name)
  select org, g from unnest(create_customer.tags) as g
  where not exists (select from public.crm_tags k where k.org_id = org and k.name_key = lower(g))
  on conflict (org_id, name_key) do nothing;
  insert into public.crm_customer_tags (org_id, customer_id, tag_id, assigned_by_user_id)
  select org, customer.id, k.id, profile
  from public.crm_tags k where k.org_id = org and k.name_key in (select lower(g) from unnest(create_customer.tags) as g);
  update public.customers c
  set primary_contact_id = contact.id, primary_location_id = (places -> 0 ->> 'id')::uuid
  where c.org_id = org and c.id = customer.id
  returning * into customer;
  select jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name, 'color', k.color) order by k.name) into labels
  from public.crm_tags k where k.org_id = org and k.name_key in (select lower(g) from unnest(create_customer.tags) as g);
  return to_jsonb(customer) || jsonb_build_object('contacts', jsonb_build_array(to_jsonb(contact)),
    'locations', places, 'preferences', to_jsonb(preference), 'tags', coalesce(labels, '[]'));
end $$;
grant execute on function bench.create_customer(text, text, text, jsonb, text[], jsonb) to authenticated;
