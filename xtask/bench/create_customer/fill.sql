-- 20,000 customers, each with a contact, a location, preferences and two tags.
with customer as (
  insert into public.customers (org_id, type, name, email)
  select '11111111-1111-4111-8111-111111111111', 'individual', 'Filler ' || n, 'filler' || n || '@example.com'
  from generate_series(1, 20000) as n
  returning id, org_id, email
), contact as (
  insert into public.customer_contacts (org_id, customer_id, type, value, is_primary)
  select org_id, id, 'email', email, true from customer
), location as (
  insert into public.customer_locations (org_id, customer_id, address_line1, city, is_primary)
  select org_id, id, '1 Main Street', 'Springfield', true from customer
), preference as (
  insert into public.crm_preferences (org_id, customer_id) select org_id, id from customer
)
insert into public.crm_customer_tags (org_id, customer_id, tag_id)
select c.org_id, c.id, t.id from customer c join public.crm_tags t using (org_id) where t.name in ('VIP', 'Commercial');

update public.customers c
set primary_contact_id = (select id from public.customer_contacts where customer_id = c.id and is_primary),
  primary_location_id = (select id from public.customer_locations where customer_id = c.id and is_primary)
where name like 'Filler %';
