\set n random(1, 1000000000)
begin;
insert into public.customers (org_id, type, name, email)
  values ('11111111-1111-4111-8111-111111111111', 'individual', 'Bench ' || :n::text, 'bench' || :n::text || '@example.com')
  returning id as customer \gset
insert into public.customer_contacts (org_id, customer_id, type, value, is_primary)
  values ('11111111-1111-4111-8111-111111111111', :customer::uuid, 'email', 'bench' || :n::text || '@example.com', true)
  returning id as contact \gset
insert into public.customer_locations (org_id, customer_id, label, address_line1, city, state, postal_code, is_primary)
  values ('11111111-1111-4111-8111-111111111111', :customer::uuid, 'Home', '12 Elm Street', 'Springfield', 'IL', '62704', true)
  returning id as location \gset
insert into public.crm_preferences (org_id, customer_id, do_not_call)
  values ('11111111-1111-4111-8111-111111111111', :customer::uuid, true);
insert into public.crm_customer_tags (org_id, customer_id, tag_id, assigned_by_user_id)
  select t.org_id, :customer::uuid, t.id, (select fieldcrm.current_profile_id()) from public.crm_tags t
  where t.org_id = '11111111-1111-4111-8111-111111111111' and t.name_key in ('vip', 'commercial');
update public.customers set primary_contact_id = :contact::uuid, primary_location_id = :location::uuid
  where org_id = '11111111-1111-4111-8111-111111111111' and id = :customer::uuid
  returning *;
commit;
