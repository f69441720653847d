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

-- Automation as an org may set it up, switched off: nothing happens by itself before somebody wants it to. And what it
-- did while it was on, what was sent, and who signs in to the portal.
insert into public.crm_automation_rules (id, org_id, name, description, is_enabled, trigger_type, event_type, time_offset_minutes,
  conditions, actions, reenrollment, cooldown_minutes, created_by_user_id)
select md5(o.org_id::text || r.name)::uuid, o.org_id, r.name, r.description, false, r.trigger_type::public.automation_trigger, r.event_type,
  r.minutes, r.conditions::jsonb,
  r.actions::jsonb, r.reenrollment, r.cooldown,
  (select l.id from demo_logins l where l.org_id = o.org_id and l.role = 'manager')
from (select distinct org_id from demo_work) o, (values
  ('Call unhappy customers', 'Somebody who wrote angrily is called back the next morning.', 'event', 'sentiment_negative', null::integer, null,
    '[{"type": "create_followup", "title": "Call {{customer.name}} back", "due_in_minutes": 960, "priority": "high", "assign_to": "owner"}]',
    'cooldown', 1440),
  ('Ask how the visit went', 'Two days after a visit, once.', 'time_based', 'work_order_completed', 2880,
    '{"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [{"field": "status", "operator": "=", "value": "active"}]}}',
    '[{"type": "send_message", "channel": "email", "purpose": "transactional", "subject": "How did it go?", "body": "Dear {{customer.first_name}}, was everything to your liking?"}]',
    'once', null))
  as r (name, description, trigger_type, event_type, minutes, conditions, actions, reenrollment, cooldown)
on conflict do nothing;

insert into public.crm_automation_runs (id, org_id, rule_id, rule_version, customer_id, occurrence_key, trigger_context, status, due_at,
  results, skip_code, skip_reason, error_code, error_message, attempts, started_at, completed_at)
select md5(w.id::text || 'run')::uuid, w.org_id, r.id, 1, w.id, 'once:' || w.id,
  jsonb_build_object('event_type', 'work_order_completed', 'occurred_at', now() - make_interval(days => w.number), 'payload', '{}'::jsonb),
  s.status::public.automation_run_status, now() - make_interval(days => w.number - 2),
  case when s.status = 'success' then '[{"type": "send_message"}]'::jsonb end, case when s.status = 'skipped' then 'conditions' end,
  case when s.status = 'skipped' then 'The customer no longer met the conditions when the run fell due.' end,
  case when s.status = 'failed' then 'invalid_template' end, case when s.status = 'failed' then 'The name of the customer is missing.' end,
  case when s.status = 'skipped' then 0 else 1 end,
  now() - make_interval(days => w.number), now() - make_interval(days => w.number - 2)
from demo_work w join public.crm_automation_rules r on r.id = md5(w.org_id::text || 'Ask how the visit went')::uuid
cross join lateral (select case w.number when 21 then 'failed' else case when w.number % 2 = 0 then 'success' else 'skipped' end end) as s (status)
where w.number between 21 and 33 and w.number % 3 = 0
on conflict do nothing;

insert into public.crm_messaging_settings (org_id, from_name, from_email)
select o.id, o.name, 'hello@' || split_part(l.email, '@', 2)
from public.orgs o join demo_logins l on l.org_id = o.id and l.role = 'owner'
on conflict do nothing;

-- What was sent, and what was not.
insert into public.crm_outbox (id, org_id, customer_id, contact_id, channel, purpose, to_address, subject, body, automation_run_id, status,
  scheduled_at, available_at, decision_code, decision_reason, decided_at, attempts, provider, sent_at, delivered_at, completed_at, created_at)
select md5(w.id::text || 'message')::uuid, w.org_id, w.id, c.id, 'email', m.purpose, c.value, 'How did it go?',
  'Dear customer, was everything to your liking?', r.id, m.status, m.at, m.at,
  case m.status when 'refused' then 'do_not_email' else 'allowed' end, case m.status when 'refused' then 'They want no e-mail.' end, m.at,
  case m.status when 'refused' then 0 else 1 end, case when m.status <> 'refused' then 'log' end,
  case when m.status <> 'refused' then m.at end, case m.status when 'delivered' then m.at + interval '1 minute' end, m.at, m.at
from demo_work w join public.customer_contacts c on c.org_id = w.org_id and c.customer_id = w.id and c.type = 'email'
left join public.crm_automation_runs r on r.id = md5(w.id::text || 'run')::uuid
cross join lateral (select (array['sent', 'delivered', 'refused'])[1 + w.number / 3 % 3],
  case when w.number % 2 = 0 then 'transactional' else 'marketing' end, now() - make_interval(days => w.number - 2)) as m (status, purpose, at)
where w.number between 21 and 33 and w.number % 3 = 0
on conflict do nothing;

-- And one that waits for its day.
insert into public.crm_outbox (id, org_id, customer_id, contact_id, channel, purpose, to_address, subject, body, scheduled_at, available_at,
  decision_code, decided_at)
select md5(w.id::text || 'waiting')::uuid, w.org_id, w.id, c.id, 'email', 'transactional', c.value, 'Your yearly service',
  'Dear customer, it is a year since our last visit.', now() + interval '300 days', now() + interval '300 days', 'allowed', now()
from demo_work w join public.customer_contacts c on c.org_id = w.org_id and c.customer_id = w.id and c.type = 'email'
where w.number = 21
on conflict do nothing;

insert into public.crm_opt_outs (org_id, channel, address, reason)
select o.org_id, 'email', 'nobody@' || split_part(o.email, '@', 2), 'unsubscribe'
from demo_logins o where o.role = 'owner'
on conflict do nothing;

insert into public.crm_notifications (id, org_id, user_id, customer_id, type, title, body, data, dedupe_key, created_at)
select md5(w.id::text || 'notice')::uuid, w.org_id, w.csr, w.id, 'automation', 'Call ' || w.name || ' back', w.name, '{}', 'demo:' || w.id, now() - interval '1 day'
from demo_work w where w.number = 21
on conflict do nothing;

insert into public.portal_accounts (id, org_id, user_id, customer_id, primary_location_id, role, invited_via)
select md5(w.id::text || 'account')::uuid, w.org_id, l.id, w.id, md5(w.id::text || 'location')::uuid,
  case l.role when 'portal_customer' then 'customer' else 'property_manager' end::public.portal_account_role, 'email_invite'
from demo_work w join demo_logins l on l.org_id = w.org_id
  and l.role = case w.number when 1 then 'portal_customer' when 4 then 'portal_manager' end
on conflict do nothing;

insert into public.portal_notification_preferences (id, org_id, portal_account_id, quiet_hours_start, quiet_hours_end, timezone)
select md5(a.id::text || 'preferences')::uuid, a.org_id, a.id, time '22:00', time '07:00', o.time_zone
from public.portal_accounts a join demo_work w on w.id = a.customer_id and w.number = 1
join public.orgs o on o.id = a.org_id
on conflict do nothing;

-- What the portals allow, what the property manager sees besides their own customer, an invitation; and two who do not get in.
insert into public.portal_settings (org_id, slug, portal_url, is_signup_enabled, cancel_fee_note)
select o.id, p.slug, 'https://portal.' || p.slug || '.example', true, 'Within a day of the visit we charge the way.'
from public.orgs o join (values ('11111111-1111-4111-8111-111111111111'::uuid, 'northwind'),
  ('22222222-2222-4222-8222-222222222222', 'volt')) as p (org_id, slug) on p.org_id = o.id
on conflict do nothing;

insert into public.portal_account_access (id, org_id, portal_account_id, customer_id, location_id)
select md5(w.id::text || 'access')::uuid, w.org_id, a.id, w.id, case w.number when 3 then md5(w.id::text || 'location')::uuid end
from demo_work w join demo_work own on own.org_id = w.org_id and own.number = 4
join public.portal_accounts a on a.customer_id = own.id and a.role = 'property_manager'
where w.number in (2, 3)
on conflict do nothing;

insert into public.portal_invites (id, org_id, customer_id, email, token_hash, expires_at, created_by_user_id)
select md5(w.id::text || 'invite')::uuid, w.org_id, w.id, 'invitee@' || split_part(l.email, '@', 2), sha256(convert_to(gen_random_uuid()::text, 'UTF8')),
  now() + interval '30 days', l.id
from demo_work w join demo_logins l on l.org_id = w.org_id and l.role = 'csr'
where w.number = 5
on conflict do nothing;

create temporary table demo_outsiders on commit preserve rows as
select md5(s.status || '@portal.' || split_part(l.email, '@', 2))::uuid as id, l.org_id, s.status || '@portal.' || split_part(l.email, '@', 2) as email, s.status,
  s.number
from demo_logins l, (values ('suspended', 6), ('invited', 7)) as s (status, number) where l.role = 'owner';

insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at, confirmation_token,
  recovery_token, email_change, email_change_token_new, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
select l.id, 'authenticated', 'authenticated', l.email, extensions.crypt('fieldcrm-demo', extensions.gen_salt('bf', 6)),
  now(), '', '', '', '', '{"provider": "email", "providers": ["email"]}', '{}', now(), now()
from demo_outsiders l
on conflict (id) do nothing;

insert into auth.identities (id, user_id, provider, provider_id, identity_data, created_at, updated_at)
select l.id, l.id, 'email', l.id::text, jsonb_build_object('sub', l.id, 'email', l.email, 'email_verified', true), now(), now()
from demo_outsiders l
on conflict do nothing;

insert into public.profiles (id, org_id, role, email, full_name)
select l.id, l.org_id, 'portal_customer', l.email, initcap(l.status) || ' Customer' from demo_outsiders l
on conflict (id) do nothing;

insert into public.portal_accounts (id, org_id, user_id, customer_id, status, invited_via)
select md5(l.id::text || 'account')::uuid, l.org_id, l.id, w.id, l.status::public.portal_account_status, 'csr_created'
from demo_outsiders l join demo_work w on w.org_id = l.org_id and w.number = l.number
on conflict do nothing;

insert into public.portal_audit_events (id, org_id, portal_account_id, event_type, occurred_at)
select md5(a.id::text || 'login')::uuid, a.org_id, a.id, 'login', now() - interval '1 day'
from public.portal_accounts a join demo_work w on w.id = a.customer_id and w.number in (1, 4)
on conflict do nothing;

-- What can be booked, who can do it, when and where; and a request that waits for the staff.
insert into public.service_types (id, org_id, code, name, description, duration_minutes, buffer_minutes)
select md5(o.org_id::text || s.code)::uuid, o.org_id, s.code, s.name, s.description, s.duration, 15
from (select distinct org_id from demo_work) o, (values ('maintenance', 'Yearly maintenance', 'We clean, measure and adjust.', 90),
  ('repair', 'Repair', 'Something does not work.', 60), ('installation', 'Installation', 'Something new.', 240),
  ('inspection', 'Inspection', null, 60)) as s (code, name, description, duration)
on conflict do nothing;

insert into public.technician_hours (id, org_id, technician_id, weekday, start_time, end_time)
select md5(w.technician::text || d || h.starts)::uuid, w.org_id, w.technician, d, h.starts::time, h.ends::time
from demo_work w, generate_series(1, 5) d, (values ('08:00', '12:00'), ('13:00', '17:00')) as h (starts, ends)
where w.number = 1
on conflict do nothing;

insert into public.technician_skills (id, org_id, technician_id, service_type_id)
select md5(w.technician::text || s.code)::uuid, w.org_id, w.technician, s.id
from demo_work w join public.service_types s on s.org_id = w.org_id
where w.number = 1
on conflict do nothing;

insert into public.technician_areas (id, org_id, technician_id, country, postal_code_prefix)
select md5(w.technician::text || a.country || a.prefix)::uuid, w.org_id, w.technician, a.country, a.prefix
from demo_work w, lateral (select distinct l.country, left(upper(regexp_replace(l.postal_code, '[^A-Za-z0-9]', '', 'g')), 1) as prefix
  from public.customer_locations l where l.org_id = w.org_id and l.country is not null) a
where w.number = 1 and a.prefix <> ''
on conflict do nothing;

insert into public.technician_time_off (id, org_id, technician_id, starts_at, ends_at, reason)
select md5(w.technician::text || 'off')::uuid, w.org_id, w.technician, date_trunc('day', now()) + interval '30 days',
  date_trunc('day', now()) + interval '37 days', 'Holiday'
from demo_work w where w.number = 1
on conflict do nothing;

insert into public.blackout_days (id, org_id, day, reason)
select md5(o.org_id::text || 'blackout')::uuid, o.org_id, (date_trunc('year', now()) + interval '1 year')::date, 'New Year'
from (select distinct org_id from demo_work) o
on conflict do nothing;

insert into public.visit_plans (id, org_id, customer_id, location_id, technician_id, service_type, title, starts_on, start_time, rrule, created_by_user_id)
select md5(w.id::text || 'visits')::uuid, w.org_id, w.id, md5(w.id::text || 'location')::uuid, w.technician, 'maintenance', 'Yearly maintenance',
  current_date + 355, time '09:00', 'FREQ=YEARLY', w.csr
from demo_work w where w.number = 1
on conflict do nothing;

insert into public.portal_booking_requests (id, org_id, portal_account_id, customer_id, location_id, service_type, problem_description,
  starts_at, ends_at, technician_id, created_at)
select md5(w.id::text || 'booking')::uuid, w.org_id, md5(w.id::text || 'account')::uuid, w.id, md5(w.id::text || 'location')::uuid, 'repair',
  'The radiator in the hall stays cold.', t.starts, t.starts + interval '1 hour', w.technician, now() - interval '1 hour'
from demo_work w, lateral (select date_trunc('hour', now()) + interval '40 days 3 hours' as starts) t where w.number = 1
on conflict do nothing;
insert into public.portal_booking_holds (id, org_id, portal_account_id, customer_id, location_id, service_type_id, technician_id, starts_at,
  ends_at, buffer_minutes, booking_request_id)
select md5(b.id::text || 'hold')::uuid, b.org_id, b.portal_account_id, b.customer_id, b.location_id, s.id, b.technician_id, b.starts_at, b.ends_at,
  s.buffer_minutes, b.id
from demo_work w join public.portal_booking_requests b on b.id = md5(w.id::text || 'booking')::uuid and b.status = 'submitted'
join public.service_types s on s.org_id = b.org_id and s.code = b.service_type
where w.number = 1
on conflict do nothing;

-- What the customer of the portal has there: visits, what was written, a warranty, a plan, and a talk with the assistant.
insert into public.work_orders (id, org_id, customer_id, location_id, service_type, title, status, window_start, window_end, completed_at,
  customer_notes, internal_notes, created_by_user_id, created_at)
select md5(w.id::text || v.kind)::uuid, w.org_id, w.id, md5(w.id::text || 'location')::uuid, 'maintenance', v.title, v.status,
  date_trunc('hour', now()) + v.starts, date_trunc('hour', now()) + v.starts + interval '2 hours',
  case when v.status = 'completed' then date_trunc('hour', now()) + v.starts + interval '1 hour' end,
  'Changed the filter; the next one is due in a year.', 'Key is at the office.', w.csr, now() - interval '20 days'
from demo_work w, (values ('last visit', 'Yearly maintenance', 'completed', interval '-10 days'),
  ('next visit', 'Second look', 'scheduled', interval '12 days')) as v (kind, title, status, starts)
where w.number = 1
on conflict do nothing;

insert into public.attachments (id, org_id, customer_id, work_order_id, object_name, file_name, content_type, created_by_user_id)
select md5(w.id::text || 'manual file')::uuid, w.org_id, w.id, md5(w.id::text || 'last visit')::uuid, w.org_id || '/' || w.id || '/manual.pdf',
  'manual.pdf', 'application/pdf', w.csr
from demo_work w where w.number = 1
on conflict do nothing;

insert into public.documents (id, org_id, customer_id, type, title, attachment_id, work_order_id, is_customer_visible, created_by_user_id)
select md5(w.id::text || 'manual')::uuid, w.org_id, w.id, 'manual', 'How to reset the boiler', md5(w.id::text || 'manual file')::uuid,
  md5(w.id::text || 'last visit')::uuid, true, w.csr
from demo_work w where w.number = 1
on conflict do nothing;

insert into public.portal_threads (id, org_id, customer_id, location_id, related_work_order_id, subject, status, created_by_portal_account_id,
  last_message_at, created_at)
select md5(w.id::text || 'thread')::uuid, w.org_id, w.id, md5(w.id::text || 'location')::uuid, md5(w.id::text || 'next visit')::uuid,
  'Which door?', 'pending_customer', md5(w.id::text || 'account')::uuid, now() - interval '1 day', now() - interval '2 days'
from demo_work w where w.number = 1
on conflict do nothing;

insert into public.portal_messages (id, org_id, customer_id, thread_id, sender_type, sender_portal_account_id, sender_user_id, body, sent_at, read_at)
select md5(w.id::text || m.sender)::uuid, w.org_id, w.id, md5(w.id::text || 'thread')::uuid, m.sender::public.portal_sender_type,
  case m.sender when 'portal_customer' then md5(w.id::text || 'account')::uuid end, case m.sender when 'internal_user' then w.csr end, m.body,
  now() - m.ago, case m.sender when 'portal_customer' then now() - interval '1 day' end
from demo_work w, (values ('portal_customer', 'Will the technician come to the front door?', interval '2 days'),
  ('internal_user', 'Yes, unless you tell us otherwise.', interval '1 day')) as m (sender, body, ago)
where w.number = 1
on conflict do nothing;
-- Of old news nobody is told.
delete from fieldcrm.portal_notices;

insert into public.warranties (id, org_id, customer_id, location_id, work_order_id, title, provider, terms, starts_on, ends_on)
select md5(w.id::text || 'warranty')::uuid, w.org_id, w.id, md5(w.id::text || 'location')::uuid, md5(w.id::text || 'last visit')::uuid,
  'Circulation pump', 'Pumps Inc.', 'Parts and labour.', current_date - 10, current_date + 720
from demo_work w where w.number = 1
on conflict do nothing;

insert into public.membership_plans (id, org_id, name, description, price, visits_per_year, discount_percent)
select md5(w.org_id::text || 'plan')::uuid, w.org_id, 'Comfort', 'A check-up in spring and in autumn.', 189, 2, 10
from demo_work w where w.number = 1
on conflict do nothing;

insert into public.customer_memberships (id, org_id, customer_id, membership_plan_id, starts_on, ends_on)
select md5(w.id::text || 'membership')::uuid, w.org_id, w.id, md5(w.org_id::text || 'plan')::uuid, current_date - 100, current_date + 265
from demo_work w where w.number = 1
on conflict do nothing;

insert into public.portal_ai_conversations (id, org_id, portal_account_id, customer_id, status, started_at, ended_at)
select md5(w.id::text || 'talk')::uuid, w.org_id, md5(w.id::text || 'account')::uuid, w.id, 'ended', now() - interval '3 days', now() - interval '3 days'
from demo_work w where w.number = 1
on conflict do nothing;

insert into public.portal_ai_messages (id, org_id, conversation_id, role, content)
select md5(w.id::text || m.role)::uuid, w.org_id, md5(w.id::text || 'talk')::uuid, m.role::public.portal_ai_role, m.content
from demo_work w, (values ('user', 'How do I reset the boiler?'), ('assistant', 'Hold the red button for five seconds.')) as m (role, content)
where w.number = 1
on conflict do nothing;

-- An agency's side of each org: a client with its members, two campaigns, leads, what was said with them, and the doors
-- through which more come in.
insert into public.clients (id, org_id, name, description, contact_info, created_by_user_id, created_at)
select md5(l.org_id::text || 'client')::uuid, l.org_id, 'Lakeside Dental Group', 'Three practices that want more patients.',
  '{"email": "office@lakeside.example", "phone": "+13125550199", "website": "https://lakeside.example"}', l.id, now() - interval '60 days'
from demo_logins l where l.role = 'owner'
on conflict do nothing;

insert into public.client_members (id, org_id, client_id, user_id, role, joined_at)
select md5(l.id::text || 'client')::uuid, l.org_id, md5(l.org_id::text || 'client')::uuid, l.id, m.role, now() - interval '60 days'
from demo_logins l join (values ('client_admin', 'admin'), ('csr', 'member'), ('sales', 'member'), ('viewer', 'viewer')) as m (profile, role)
  on m.profile = l.role
on conflict do nothing;

insert into public.projects (id, org_id, client_id, name, description, status, settings, created_by_user_id, created_at)
select md5(l.org_id::text || p.name)::uuid, l.org_id, md5(l.org_id::text || 'client')::uuid, p.name, p.description, p.status,
  p.settings::jsonb, l.id, now() - interval '50 days'
from demo_logins l, (values
  ('Spring check-ups', 'Search and social ads for new patients.', 'active', '{"lead_assignment": "round_robin", "budget": 4000}'),
  ('Whitening offer', 'Landing page with a voucher.', 'paused', '{"budget": 900}')) as p (name, description, status, settings)
where l.role = 'owner'
on conflict do nothing;

create temporary table demo_leads on commit preserve rows as
select md5(c.org_id::text || 'lead' || n)::uuid as id, c.org_id, c.id as client_id, n,
  md5(c.org_id::text || case when n % 4 = 0 then 'Whitening offer' else 'Spring check-ups' end)::uuid as project_id,
  (array['new', 'contacted', 'qualified', 'proposal', 'converted', 'lost'])[1 + n % 6] as status,
  (select l.id from demo_logins l where l.org_id = c.org_id and l.role = case n % 2 when 0 then 'csr' else 'sales' end) as assigned_to,
  case when n % 2 = 0 then 'whatsapp' when n % 3 = 0 then 'email' else 'sms' end as channel
from public.clients c cross join generate_series(1, 18) n
where c.id = md5(c.org_id::text || 'client')::uuid;

insert into public.leads (id, org_id, client_id, project_id, customer_id, first_name, last_name, email, phone, status, source, notes, tags,
  custom_fields, assigned_to, created_by_user_id, created_at)
select d.id, d.org_id, d.client_id, d.project_id, case when d.status = 'converted' then md5(d.org_id::text || d.n)::uuid end,
  (array['Nora', 'Felix', 'Imani', 'Luca', 'Sofía', 'Owen'])[1 + d.n % 6], (array['Becker', 'Osei', 'Rossi', 'Novák', 'Reyes'])[1 + d.n % 5],
  'lead' || d.n || '@leads.example', '+1312555' || lpad((7000 + d.n)::text, 4, '0'), d.status,
  (array['google_ads', 'facebook_ads', 'organic', 'referral'])[1 + d.n % 4], 'Asked about an appointment.',
  case when d.n % 3 = 0 then '["hot"]' else '[]' end::jsonb,
  jsonb_build_object('utm', jsonb_build_object('campaign', 'spring')), d.assigned_to, null, now() - make_interval(days => d.n * 2)
from demo_leads d
on conflict do nothing;

insert into public.conversations (id, org_id, client_id, lead_id, channel, status, created_at)
select md5(d.id::text || 'conversation')::uuid, d.org_id, d.client_id, d.id, d.channel,
  case when d.status in ('converted', 'lost') then 'closed' else 'active' end, now() - make_interval(days => d.n * 2)
from demo_leads d
on conflict do nothing;

insert into public.messages (id, org_id, client_id, lead_id, conversation_id, sender_type, sender_id, content, message_type, direction,
  status, created_at)
select md5(d.id::text || m.n)::uuid, d.org_id, d.client_id, d.id, md5(d.id::text || 'conversation')::uuid, m.sender,
  case when m.sender = 'user' then d.assigned_to end, m.content, d.channel, m.direction, m.status,
  now() - make_interval(days => d.n * 2, mins => -10 * m.n)
from demo_leads d, (values
  (1, 'lead', 'inbound', 'delivered', 'Hello, do you have an appointment this week?'),
  (2, 'user', 'outbound', 'read', 'We do: Thursday at ten?'),
  (3, 'lead', 'inbound', 'delivered', 'That works, thank you!')) as m (n, sender, direction, status, content)
on conflict do nothing;

insert into public.reports (id, org_id, client_id, project_id, name, type, data, generated_by, created_at)
select md5(l.org_id::text || 'report')::uuid, l.org_id, md5(l.org_id::text || 'client')::uuid, md5(l.org_id::text || 'Spring check-ups')::uuid,
  'Conversion so far', 'conversion', '{"rate": 0.1538}', l.id, now() - interval '1 day'
from demo_logins l where l.role = 'sales'
on conflict do nothing;

insert into public.org_channels (id, org_id, client_id, project_id, channel, address, secret_name, settings)
select md5(o.org_id::text || v.channel)::uuid, o.org_id, md5(o.org_id::text || 'client')::uuid, md5(o.org_id::text || 'Spring check-ups')::uuid,
  v.channel, v.address, v.secret_name, v.settings::jsonb
from (values ('11111111-1111-4111-8111-111111111111'::uuid, '1'), ('22222222-2222-4222-8222-222222222222', '2')) as o (org_id, digit)
join public.orgs x on x.id = o.org_id, lateral (values
  ('whatsapp', '10000000000000' || o.digit, null, '{}'), ('sms', '+1500555010' || o.digit, null, '{}'),
  ('email', 'leads' || o.digit || '@in.fieldcrm.example', null, '{}'),
  ('form', 'form_demo_000000000' || o.digit, 'FORM_DEMO_SECRET', '{"honeypot": "website", "source": "landing_page"}'))
  as v (channel, address, secret_name, settings)
on conflict do nothing;

insert into public.webhook_events (id, org_id, channel_id, provider, provider_event_id, event_type, outcome, lead_id, message_id)
select md5(d.id::text || 'event')::uuid, d.org_id, md5(d.org_id::text || d.channel)::uuid, 'demo', 'demo-' || d.n, 'message', 'message', d.id,
  md5(d.id::text || 1)::uuid
from demo_leads d
on conflict do nothing;

insert into public.webhook_endpoints (id, org_id, url, event_types, description, is_enabled)
select md5(l.org_id::text || 'endpoint')::uuid, l.org_id, 'https://hooks.example.com/fieldcrm', '{customer_created,work_order_completed}',
  'An accounting system, for the demonstration.', false
from demo_logins l where l.role = 'owner'
on conflict do nothing;

-- One that was told something.
insert into public.webhook_endpoints (id, org_id, url, event_types, description)
select md5(l.org_id::text || 'declined')::uuid, l.org_id, 'https://hooks.example.com/declined', '{quote_declined}',
  'Hears of quotes that were declined.'
from demo_logins l where l.role = 'owner'
on conflict do nothing;
insert into public.crm_outbox (id, org_id, webhook_endpoint_id, event_id, channel, purpose, to_address, body, payload, status, decision_code,
  decided_at, attempts, max_attempts, provider, sent_at, completed_at, created_at)
select md5(l.org_id::text || 'delivery')::uuid, l.org_id, md5(l.org_id::text || 'declined')::uuid, v.event_id, 'webhook', 'transactional',
  'https://hooks.example.com/declined', '', jsonb_build_object('type', 'quote_declined', 'timestamp', '2026-01-05T12:00:00.000000Z',
    'data', jsonb_build_object('event_id', v.event_id, 'org_id', l.org_id, 'customer_id', null, 'payload', '{}'::jsonb)),
  'sent', 'allowed', v.at, 2, 10, 'log', v.at, v.at, v.at
from demo_logins l cross join lateral (select md5(l.org_id::text || 'declined event')::uuid, now() - interval '1 day') as v (event_id, at)
where l.role = 'owner'
on conflict do nothing;
insert into public.webhook_attempts (id, org_id, message_id, outcome, http_status, error_code, duration_ms, attempted_at)
select md5(l.org_id::text || 'attempt' || a.n)::uuid, l.org_id, md5(l.org_id::text || 'delivery')::uuid, a.outcome, a.http_status, a.error_code,
  a.duration_ms, now() - interval '1 day' + make_interval(secs => 6 * a.n)
from demo_logins l, (values (0, 'failed', 503, 'http_503', 812), (1, 'sent', 204, null, 96)) as a (n, outcome, http_status, error_code, duration_ms)
where l.role = 'owner'
on conflict do nothing;
drop table demo_leads;

-- Help for the customers: some for all orgs, some of each. The job of the knowledge base makes it findable.
insert into public.kb_articles (id, org_id, slug, title, category, tags, is_published, is_public, body_markdown)
select md5(a.slug)::uuid, null, a.slug, a.title, a.category, a.tags::text[], true, a.is_public, a.body
from (values
  ('gas-smell', 'You smell gas', 'safety', '{gas,emergency}', true,
    E'Rotten-egg smell is gas.\n\n1. Touch no switches, phones or flames inside.\n2. Leave with everyone and leave the door open.\n3. Call the gas utility''s emergency line from outdoors.\n\nWe repair and pressure-test the line before it is opened again.'),
  ('furnace-filter-change', 'Changing the furnace filter', 'hvac', '{furnace,filter}', true,
    E'# How to\n\n1. Switch the furnace off at the service switch.\n2. Slide the old filter out and note the arrow and the size on its frame.\n3. Push the new one in with the arrow toward the blower.\n\n# How often\n\nLook at it monthly; replace it at least every three months.'),
  ('boiler-pressure-low', 'Boiler pressure is too low', 'hvac', '{boiler}', true,
    E'A cold system should show **1 to 1.5 bar**; below that the boiler locks out.\n\nOpen the filling loop slowly until the needle is right, close it, and press reset. If you top up more than twice a year, there is a leak.'),
  ('breaker-trips', 'A circuit breaker keeps tripping', 'electrical', '{breaker}', true,
    E'Unplug everything on the circuit, push the handle firmly to off and then to on. If it holds, plug devices in one by one.\n\nIf it trips with nothing plugged in, leave it off and call us.'),
  ('toilet-running', 'Toilet keeps running', 'plumbing', '{toilet}', true,
    E'Lift the lid. If water flows into the overflow tube, lower the float. If not, the flapper does not seal: close the valve behind the toilet and replace the flapper.'),
  ('reschedule-visit', 'Moving an appointment', 'portal_usage', '{booking}', false,
    E'Open the appointment and press **Reschedule**. Until when, and how often, is up to the company; later than that, please call.')
  ) as a (slug, title, category, tags, is_public, body)
on conflict do nothing;

insert into public.kb_articles (id, org_id, slug, title, category, tags, is_published, is_public, body_markdown)
select md5(o.org_id::text || a.slug)::uuid, o.org_id, a.slug, a.title, a.category, '{}', a.is_published, a.is_public, a.body
from demo_logins o, (values
  ('emergency-service', 'Emergencies at night and on weekends', 'portal_usage', true, true,
    E'For floods, gas, no heat in frost or sparks call us, day and night. Somebody calls back within fifteen minutes.'),
  ('membership-benefits', 'What the maintenance membership includes', 'billing', true, false,
    E'- Two tune-ups a year\n- No trip charge\n- 15 percent off repairs\n- The first place in the queue on the hottest and coldest days'),
  ('price-list-draft', 'Prices of next year', 'billing', false, false, E'To be agreed.')
  ) as a (slug, title, category, is_published, is_public, body)
where o.role = 'owner'
on conflict do nothing;

drop table demo_logins, demo_customers, demo_work, demo_outsiders;
