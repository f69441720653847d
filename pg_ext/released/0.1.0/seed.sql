-- Demo data: two orgs, one login for every role in each, a few dozen customers in each, and what happened with them.
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

insert into public.products (id, org_id, name, description, is_active)
select md5(o.id::text || 'product' || p.number)::uuid, o.id, p.name, p.description, p.number < 4
from public.orgs o join (values
  ('11111111-1111-4111-8111-111111111111'::uuid, 1, 'Comfort Plan', 'Two tune-ups a year and no call-out fee.'),
  ('11111111-1111-4111-8111-111111111111', 2, 'Heat Pump Upgrade', 'Replaces a furnace with a cold-climate heat pump.'),
  ('11111111-1111-4111-8111-111111111111', 3, 'Water Softener', 'Installed, with a year of salt.'),
  ('11111111-1111-4111-8111-111111111111', 4, 'Oil Furnace Service', 'No longer offered.'),
  ('22222222-2222-4222-8222-222222222222', 1, 'Home Safety Check', 'Inspection of the fuse board and all sockets.'),
  ('22222222-2222-4222-8222-222222222222', 2, 'EV Charger', 'A 7 kW charger, installed and registered.'),
  ('22222222-2222-4222-8222-222222222222', 3, 'Solar with Battery', 'Panels, inverter and a 10 kWh battery.'),
  ('22222222-2222-4222-8222-222222222222', 4, 'Storage Heaters', 'No longer offered.')) as p (org_id, number, name, description)
  on p.org_id = o.id
where not exists (select from public.products x where x.org_id = o.id)
on conflict do nothing;

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
  status, lifecycle_stage, pipeline_stage, source, product_id, created_at)
select md5(d.org_id::text || d.number)::uuid, d.org_id, 'DEMO-' || d.number, d.type, d.name,
  case when d.type = 'individual' then split_part(d.name, ' ', 1) end,
  case when d.type = 'individual' then split_part(d.name, ' ', 2) end,
  case when d.type = 'company' then d.name end, d.email, d.phone, d.status, d.stage, d.pipeline, d.source,
  (select p.id from public.products p where p.id = md5(d.org_id::text || 'product' || d.number % 6)::uuid),
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
on conflict (org_id, customer_id) do nothing;

insert into public.crm_tags (org_id, name, color)
select distinct d.org_id, d.tag, case d.tag when 'VIP' then '#d4a017' when 'Net 30' then '#4682b4' else '#2e8b57' end
from demo_customers d where d.tag is not null
on conflict do nothing;

insert into public.crm_customer_tags (org_id, customer_id, tag_id)
select d.org_id, md5(d.org_id::text || d.number)::uuid, t.id
from demo_customers d join public.crm_tags t on t.org_id = d.org_id and t.name = d.tag
on conflict do nothing;

-- What happened with them. The customer's id, and who of the org works on what.
create temporary table demo_work on commit preserve rows as
select d.org_id, d.number, d.tag, d.stage, d.name, md5(d.org_id::text || d.number)::uuid as id,
  (select l.id from demo_logins l where l.org_id = d.org_id and l.role = 'csr') as csr,
  (select l.id from demo_logins l where l.org_id = d.org_id and l.role = 'sales') as sales,
  (select l.id from demo_logins l where l.org_id = d.org_id and l.role = 'technician') as technician,
  null::uuid as visit, null::uuid as quote
from demo_customers d;

-- Every third customer has a visit, in every status; the technician is never in two places at once.
insert into public.work_orders (id, org_id, customer_id, location_id, technician_id, service_type, title, status, window_start,
  window_end, eta, en_route_at, started_at, completed_at, canceled_at, cancel_reason, customer_notes, internal_notes,
  created_by_user_id, created_at)
select md5(w.id::text || 'visit')::uuid, w.org_id, w.id, md5(w.id::text || 'location')::uuid,
  case when w.number <> 18 then w.technician end, (array['maintenance', 'repair', 'installation', 'inspection'])[1 + w.number / 3 % 4],
  (array['Yearly maintenance', 'Repair', 'Installation', 'Inspection'])[1 + w.number / 3 % 4], s.status, s.starts, s.starts + interval '2 hours',
  case when s.status = 'en_route' then s.starts + interval '15 minutes' end,
  case when s.status in ('en_route', 'on_site', 'completed') then s.starts - interval '20 minutes' end,
  case when s.status in ('on_site', 'completed') then s.starts end,
  case when s.status = 'completed' then s.starts + interval '90 minutes' end,
  case when s.status = 'canceled' then s.starts - interval '1 day' end,
  case when s.status = 'canceled' then 'The customer is away.' end, 'Please keep the way to the meter clear.', 'Key is at the office.',
  w.csr, least(s.starts, now()) - interval '3 days'
from demo_work w, lateral (select
  case when w.number = 3 then 'on_site' when w.number = 6 then 'en_route' when w.number <= 18 then 'scheduled'
    when w.number <= 33 then 'completed' else 'canceled' end,
  date_trunc('hour', now()) + case when w.number = 3 then interval '-1 hour' when w.number = 6 then interval '1 hour'
    when w.number <= 18 then make_interval(days => w.number / 3) else make_interval(days => -w.number * 4) end) as s (status, starts)
where w.number % 3 = 0
on conflict do nothing;

-- A visit may have been refused: its technician is elsewhere by now.
update demo_work w set visit = (select x.id from public.work_orders x where x.id = md5(w.id::text || 'visit')::uuid);

insert into public.quotes (id, org_id, customer_id, work_order_id, number, status, total, valid_until, sent_at, decided_at,
  created_by_user_id, created_at)
select md5(w.id::text || 'quote')::uuid, w.org_id, w.id, w.visit,
  'Q-' || 1000 + w.number, q.status, 180 + w.number * 35.5, (now() + interval '30 days')::date,
  case when q.status <> 'draft' then now() - make_interval(days => w.number) end,
  case when q.status in ('accepted', 'declined') then now() - make_interval(days => w.number - 1) end, w.sales,
  now() - make_interval(days => w.number + 1)
from demo_work w, lateral (select (array['draft', 'sent', 'accepted', 'declined', 'expired'])[1 + w.number / 2 % 5]) as q (status)
where w.number % 2 = 0
on conflict do nothing;

update demo_work w set quote = (select x.id from public.quotes x where x.id = md5(w.id::text || 'quote')::uuid);

insert into public.invoices (id, org_id, customer_id, work_order_id, quote_id, number, status, total, amount_paid, issued_at, due_at,
  paid_at, created_by_user_id, created_at)
select md5(w.id::text || 'invoice')::uuid, w.org_id, w.id, w.visit,
  w.quote, 'INV-' || 2000 + w.number, i.status, 180 + w.number * 35.5,
  case i.status when 'paid' then 180 + w.number * 35.5 when 'sent' then 100 else 0 end,
  case when i.status <> 'draft' then now() - make_interval(days => w.number) end, now() + make_interval(days => 30 - w.number),
  case when i.status = 'paid' then now() - make_interval(days => w.number / 2) end, w.csr, now() - make_interval(days => w.number)
from demo_work w, lateral (select (array['paid', 'sent', 'draft', 'void'])[1 + w.number / 3 % 4]) as i (status)
where w.number % 3 = 0 and w.number > 18
on conflict do nothing;

-- One to three a customer; the first one of customer 5 has to be come back to, which makes its follow-up.
insert into public.crm_interactions (id, org_id, customer_id, location_id, related_work_order_id, related_quote_id, channel, type,
  subject, summary, body, metadata, sentiment, follow_up_date, created_by_user_id, occurred_at)
select md5(w.id::text || 'interaction' || n)::uuid, w.org_id, w.id, md5(w.id::text || 'location')::uuid,
  w.visit, w.quote,
  c.channel, case when n = 1 then 'Initial call' end, c.subject, c.summary, c.summary || ' Customer: ' || w.name || '.',
  case when c.channel::text like 'phone%' then jsonb_build_object('duration_seconds', 60 + w.number * 7) end,
  (array['positive', 'neutral', 'negative', null])[1 + (w.number + n) % 4]::public.sentiment,
  case when w.number = 5 and n = 1 then now() + interval '2 days' end,
  case when (w.number + n) % 3 = 0 then w.sales else w.csr end, now() - make_interval(days => w.number * 3 + n * 5, hours => n)
from demo_work w cross join lateral generate_series(1, 1 + w.number % 3) n
join lateral (values (0, 'phone_inbound'::public.interaction_channel, 'No hot water', 'Boiler is out since the morning.'),
  (1, 'phone_outbound', 'Appointment', 'Agreed on a window for the visit.'), (2, 'email_inbound', 'Question', 'Asks what the plan covers.'),
  (3, 'email_outbound', 'Your quote', 'Sent the quote again.'), (4, 'sms_inbound', null, 'Running ten minutes late, that is fine.'),
  (5, 'sms_outbound', null, 'Reminder of the visit.'), (6, 'note', 'Dog', 'There is a friendly dog.'),
  (7, 'in_person', 'Site visit', 'Looked at the installation together.'), (8, 'portal_message', 'Invoice', 'Cannot find the invoice.'))
  as c (number, channel, subject, summary) on c.number = (w.number + n * 4) % 9
on conflict do nothing;

insert into public.crm_followups (id, org_id, customer_id, assigned_to_user_id, title, due_at, status, priority, origin, dedupe_key,
  related_work_order_id, created_by_user_id, completed_at, completion_notes)
select md5(w.id::text || 'followup')::uuid, w.org_id, w.id, case when w.number % 2 = 0 then w.sales else w.csr end,
  (array['Call back about the quote', 'Offer the plan', 'Ask how the repair went', 'Send the invoice again'])[1 + w.number % 4],
  now() + make_interval(days => case when f.status = 'pending' then w.number - 8 else -w.number end), f.status,
  (array['low', 'medium', 'high'])[1 + w.number % 3]::public.followup_priority,
  case when w.number % 8 = 0 then 'system_rule' else 'manual' end::public.followup_origin, 'demo:' || w.id,
  w.visit, w.csr,
  case when f.status = 'completed' then now() - make_interval(days => w.number) end, case when f.status = 'completed' then 'Reached them.' end
from demo_work w, lateral (select (array['pending', 'pending', 'completed', 'canceled', 'expired'])[1 + w.number / 2 % 5]::public.followup_status)
  as f (status)
where w.number % 2 = 0
on conflict do nothing;

insert into public.crm_message_templates (id, org_id, name, channel, subject, body, variables, is_system)
select md5(o.id::text || t.name)::uuid, o.id, t.name, t.channel::public.template_channel, t.subject, t.body, t.variables::jsonb, t.is_system
from (select distinct org_id as id from demo_work) o, (values
  ('Welcome', 'email', 'Welcome to {{org.name}}', 'Dear {{customer.first_name}}, thank you for choosing {{org.name}}.', null, true),
  ('Visit reminder', 'sms', null, '{{org.name}}: we come on {{visit_date}}.', '["visit_date"]', false),
  ('Quote follow-up', 'email', 'Your quote {{quote_number}}', 'Dear {{customer.first_name}}, do you have questions?', '["quote_number"]', false),
  ('Missed call', 'phone_script', null, 'Hello {{customer.first_name}}, this is {{org.name}}. You called us.', null, false))
  as t (name, channel, subject, body, variables, is_system)
on conflict do nothing;

insert into public.attachments (id, org_id, customer_id, work_order_id, object_name, file_name, content_type, size_bytes, created_by_user_id)
select md5(w.id::text || 'attachment')::uuid, w.org_id, w.id, w.visit,
  w.org_id || '/' || w.id || '/report.pdf', 'report.pdf', 'application/pdf', 20480 + w.number, w.csr
from demo_work w where w.number % 9 = 0
on conflict do nothing;

insert into public.documents (id, org_id, customer_id, type, title, attachment_id, work_order_id, is_customer_visible, created_by_user_id)
select md5(w.id::text || 'document')::uuid, w.org_id, w.id, case when w.number % 2 = 0 then 'warranty' else 'report' end,
  case when w.number % 2 = 0 then 'Warranty' else 'Service report' end, md5(w.id::text || 'attachment')::uuid,
  w.visit, w.number % 2 = 0, w.csr
from demo_work w where w.number % 9 = 0
on conflict do nothing;

insert into public.crm_segments (id, org_id, name, description, type, definition, last_computed_at)
select md5(o.id::text || s.name)::uuid, o.id, s.name, s.description, s.type::public.segment_type, s.definition::jsonb, now()
from (select distinct org_id as id from demo_work) o, (values
  ('VIP customers', 'Picked by hand.', 'static', null),
  ('Leads to call', 'Leads, best first.', 'rule_based', '{"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [
    {"field": "lifecycle_stage", "operator": "=", "value": "lead"}]}}'))
  as s (name, description, type, definition)
on conflict do nothing;

insert into public.crm_segment_members (id, org_id, segment_id, customer_id, score)
select md5(w.id::text || s.name)::uuid, w.org_id, s.id, w.id, case when s.type = 'rule_based' then 1 - w.number / 100.0 end
from demo_work w join public.crm_segments s on s.org_id = w.org_id
  and case s.name when 'VIP customers' then w.tag = 'VIP' when 'Leads to call' then w.stage = 'lead' end
on conflict do nothing;

drop table demo_logins, demo_customers, demo_work;
