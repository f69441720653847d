-- Demo data: two orgs, one login for every role in each, a few dozen customers in each.
-- For local stacks and demonstrations only: the password of every login is fieldcrm-demo.
-- Can be applied again: what is there stays.

insert into public.orgs (id, name, time_zone, default_country) values
  ('11111111-1111-4111-8111-111111111111', 'Northwind Heating & Plumbing', 'America/Chicago', 'US'),
  ('22222222-2222-4222-8222-222222222222', 'Volt & Sons Electric', 'Europe/London', 'GB')
on conflict (id) do nothing;

create temporary table demo_logins on commit preserve rows as
select md5(r.role || '@' || o.domain)::uuid as id, o.org_id, r.role, r.role || '@' || o.domain as email, r.full_name
from (values
  ('11111111-1111-4111-8111-111111111111'::uuid, 'northwind.example'),
  ('22222222-2222-4222-8222-222222222222'::uuid, 'volt.example')) as o (org_id, domain),
  (values ('owner', 'Olivia Marsh'), ('admin', 'Adam Nowak'), ('manager', 'Maya Chen'),
  ('dispatcher', 'Diego Ramos'), ('csr', 'Clara Winter'), ('sales', 'Samir Haddad'),
  ('technician', 'Tomasz Zielinski'), ('member', 'Mei Tanaka'), ('viewer', 'Victor Hugo Lima'),
  ('client_admin', 'Chloé Dubois'), ('portal_customer', 'Paula Kern'), ('portal_manager', 'Pete O''Hara')) as r (role, full_name);

-- The token columns are '' and not null as Supabase Auth itself writes them: it cannot read nulls.
insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at, confirmation_token,
  recovery_token, email_change, email_change_token_new, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
select l.id, 'authenticated', 'authenticated', l.email, extensions.crypt('fieldcrm-demo', extensions.gen_salt('bf', 6)),
  now(), '', '', '', '', '{"provider": "email", "providers": ["email"]}', jsonb_build_object('full_name', l.full_name),
  now(), now()
from demo_logins l
on conflict (id) do nothing;

insert into auth.identities (id, user_id, provider, provider_id, identity_data, created_at, updated_at)
select l.id, l.id, 'email', l.id::text,
  jsonb_build_object('sub', l.id, 'email', l.email, 'email_verified', true), now(), now()
from demo_logins l
on conflict do nothing;

insert into public.profiles (id, org_id, role, email, full_name)
select l.id, l.org_id, l.role, l.email, l.full_name from demo_logins l
on conflict (id) do nothing;

create temporary table demo_customers (
  org_id uuid, number integer, type public.customer_type, name text, email text, phone text, street text, city text,
  state text, postal_code text, country text, status public.customer_status, stage public.lifecycle_stage,
  pipeline text, source text, tag text
) on commit preserve rows;

-- Names, streets and cities by position: plausible, varied, and the same on every machine.
insert into demo_customers
select o.org_id, n, case when n % 4 = 0 then 'company' else 'individual' end::public.customer_type,
  case when n % 4 = 0 then o.companies[1 + n / 4 % 9] else o.firsts[1 + n % 12] || ' ' || o.lasts[1 + n * 5 % 12] end,
  case when n % 4 = 0 then 'office' || n || '@customers.example'
    else lower(translate(o.firsts[1 + n % 12] || '.' || o.lasts[1 + n * 5 % 12], 'éèüöóçñł'' ', 'eeuoocnl')) || n || '@mail.example' end,
  case o.country when 'US' then '+1312555' || lpad((2000 + n)::text, 4, '0') else '+44207946' || lpad((n)::text, 4, '0') end,
  (3 + n * 17) || ' ' || o.streets[1 + n % 8], o.cities[1 + n % 5], o.states[1 + n % 5],
  case o.country when 'US' then (60601 + n)::text else 'SE' || (1 + n % 20) || ' ' || (n % 9) || 'AB' end, o.country,
  (array['active', 'active', 'prospect', 'active', 'inactive'])[1 + n % 5]::public.customer_status,
  (array['customer', 'customer', 'lead', 'opportunity', 'former_customer'])[1 + n % 5]::public.lifecycle_stage,
  (array['closed_won', 'closed_won', 'lead', 'proposal', 'closed_lost', 'qualified', 'negotiation'])[1 + n % 7],
  (array['web', 'phone', 'referral', 'ad_campaign'])[1 + n % 4],
  (array['VIP', 'Maintenance plan', 'Net 30', null])[1 + n % 4]
from generate_series(1, 36) n, (values
  ('11111111-1111-4111-8111-111111111111'::uuid, 'US',
    array['James', 'Maria', 'Robert', 'Linda', 'José', 'Aisha', 'William', 'Nguyen', 'Élodie', 'Priya', 'Łukasz', 'Barbara'],
    array['Miller', 'Garcia', 'O''Brien', 'Johnson', 'Müller', 'Khan', 'Smith', 'Tran', 'Dupont', 'Patel', 'Kowalski', 'Brown'],
    array['Lakeview Property Group', 'Rosario''s Bakery', 'Cedar Hill School District', 'Midtown Dental', 'Prairie Logistics', 'Harbor Hotel', 'Sunrise Senior Living', 'Bluebird Brewing', 'Union Street Lofts'],
    array['Oak Street', 'Lincoln Avenue', 'Maple Drive', 'Wacker Drive', 'Elm Court', 'Cermak Road', 'Park Boulevard', '3rd Street'],
    array['Chicago', 'Evanston', 'Oak Park', 'Naperville', 'Milwaukee'], array['IL', 'IL', 'IL', 'IL', 'WI']),
  ('22222222-2222-4222-8222-222222222222'::uuid, 'GB',
    array['Oliver', 'Amelia', 'Harry', 'Isla', 'Mohammed', 'Ava', 'Sanjay', 'Niamh', 'Zoë', 'Callum', 'Siân', 'Tomás'],
    array['Jones', 'Taylor', 'Singh', 'Williams', 'Evans', 'Ahmed', 'Davies', 'Byrne', 'Clarke', 'Walker', 'Hughes', 'Murphy'],
    array['Thameside Flats Ltd', 'Fox & Finch Cafés', 'Greenwich Primary School', 'Borough Dental Care', 'Kentish Freight', 'The Anchor Hotel', 'Willow Care Homes', 'Peckham Brewery', 'Deptford Studios'],
    array['High Street', 'Church Lane', 'Station Road', 'Mill Hill', 'Queens Road', 'Victoria Street', 'Park Lane', 'Kings Avenue'],
    array['London', 'Croydon', 'Bromley', 'Dartford', 'Watford'], array[null, null, null, 'Kent', 'Herts']::text[])
) as o (org_id, country, firsts, lasts, companies, streets, cities, states);

insert into public.customers (id, org_id, external_ref, type, name, first_name, last_name, company_name, email, phone,
  status, lifecycle_stage, pipeline_stage, source, created_at)
select md5(d.org_id::text || d.number)::uuid, d.org_id, 'DEMO-' || d.number, d.type, d.name,
  case when d.type = 'individual' then split_part(d.name, ' ', 1) end,
  case when d.type = 'individual' then split_part(d.name, ' ', 2) end,
  case when d.type = 'company' then d.name end, d.email, d.phone, d.status, d.stage, d.pipeline, d.source,
  now() - make_interval(days => d.number * 9)
from demo_customers d
on conflict do nothing;

insert into public.customer_contacts (id, org_id, customer_id, type, value, is_primary)
select md5(c.id::text || e.type)::uuid, c.org_id, c.id, e.type::public.contact_type, e.value, e.type = 'email'
from demo_customers d
join public.customers c on c.id = md5(d.org_id::text || d.number)::uuid,
  lateral (values ('email', d.email), ('phone', d.phone)) as e (type, value)
on conflict do nothing;

insert into public.customer_locations (id, org_id, customer_id, label, type, address_line1, city, state, postal_code, country, is_primary)
select md5(c.id::text || 'location')::uuid, c.org_id, c.id, case when d.type = 'company' then 'Office' else 'Home' end,
  'both', d.street, d.city, d.state, d.postal_code, d.country, true
from demo_customers d join public.customers c on c.id = md5(d.org_id::text || d.number)::uuid
on conflict do nothing;

update public.customers c
set primary_contact_id = md5(c.id::text || 'email')::uuid, primary_location_id = md5(c.id::text || 'location')::uuid
from demo_customers d
where c.id = md5(d.org_id::text || d.number)::uuid and c.primary_contact_id is null;

insert into public.crm_preferences (org_id, customer_id, do_not_call, preferred_contact_window_start, preferred_contact_window_end)
select d.org_id, md5(d.org_id::text || d.number)::uuid, d.number % 11 = 0,
  case when d.number % 3 = 0 then time '09:00' end, case when d.number % 3 = 0 then time '17:00' end
from demo_customers d
on conflict (customer_id) do nothing;

insert into public.crm_tags (org_id, name, color)
select distinct d.org_id, d.tag, case d.tag when 'VIP' then '#d4a017' when 'Net 30' then '#4682b4' else '#2e8b57' end
from demo_customers d where d.tag is not null
on conflict do nothing;

insert into public.crm_customer_tags (org_id, customer_id, tag_id)
select d.org_id, md5(d.org_id::text || d.number)::uuid, t.id
from demo_customers d join public.crm_tags t on t.org_id = d.org_id and t.name = d.tag
on conflict do nothing;

drop table demo_logins, demo_customers;
