-- Northwind with 50,000 customers more, four work orders each, and two hundred of them with a portal account, of whom every
-- twentieth manages fifty others. The same on every machine: all by arithmetic on the number.
-- Triggers are off while the rows come in; what they keep is made in bulk.

alter table public.customers disable trigger user;
alter table public.customer_locations disable trigger user;
alter table public.work_orders disable trigger user;
alter table public.portal_accounts disable trigger user;

create schema if not exists bench;
create table bench.people as
select n, md5('portal customer ' || n)::uuid as id, md5('portal location ' || n)::uuid as location_id
from generate_series(1, 50000) n;

insert into public.customers (id, org_id, type, name, email, status, created_at)
select p.id, '11111111-1111-4111-8111-111111111111', 'individual', 'Portal Customer ' || p.n, 'portal' || p.n || '@example.com',
  'active', now() - make_interval(days => p.n % 1000)
from bench.people p;

insert into public.customer_locations (id, org_id, customer_id, address_line1, city, state, postal_code, latitude, longitude, is_primary)
select p.location_id, '11111111-1111-4111-8111-111111111111', p.id, p.n || ' Elm Street', 'Springfield', 'IL', '62701',
  39.8 + (p.n % 100) * 0.001, -89.6 + (p.n % 77) * 0.001, true
from bench.people p;

-- One in four is still to come, spread over sixty days; the others are done.
insert into public.work_orders (org_id, customer_id, location_id, service_type, title, status, window_start, window_end,
  completed_at, customer_notes, internal_notes, created_at)
select '11111111-1111-4111-8111-111111111111', p.id, p.location_id, 'repair', 'Visit ' || v.n,
  case when v.n = 4 then 'scheduled' else 'completed' end, s.start, s.start + interval '2 hours',
  case when v.n < 4 then s.start + interval '2 hours' end, 'All done', 'Dog bites', s.start - interval '10 days'
from bench.people p, generate_series(1, 4) v (n), lateral (
  select date_trunc('hour', now()) + case when v.n = 4 then make_interval(hours => 24 + p.n % 1400)
    else make_interval(hours => -(p.n % 9000 + v.n * 100)) end as start) s;

insert into public.portal_appointments
  (work_order_id, org_id, customer_id, location_id, service_type, status, window_start, window_end, eta, updated_at)
select w.id, w.org_id, w.customer_id, w.location_id, w.service_type, w.status, w.window_start, w.window_end, w.eta, w.updated_at
from public.work_orders w
on conflict do nothing;

insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at, confirmation_token,
  recovery_token, email_change, email_change_token_new, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
select md5('portal user ' || n)::uuid, 'authenticated', 'authenticated', 'portal' || n || '@users.example', '', now(), '', '', '', '',
  '{}', '{}', now(), now()
from generate_series(1, 200) n;
insert into public.profiles (id, org_id, role, full_name)
select md5('portal user ' || n)::uuid, '11111111-1111-4111-8111-111111111111',
  case when n % 20 = 0 then 'portal_manager' else 'portal_customer' end, 'Portal User ' || n
from generate_series(1, 200) n;
insert into public.portal_accounts (id, org_id, user_id, customer_id, role)
select md5('portal account ' || n)::uuid, '11111111-1111-4111-8111-111111111111', md5('portal user ' || n)::uuid,
  md5('portal customer ' || n)::uuid, (case when n % 20 = 0 then 'property_manager' else 'customer' end)::public.portal_account_role
from generate_series(1, 200) n;
insert into public.portal_account_access (org_id, portal_account_id, customer_id)
select '11111111-1111-4111-8111-111111111111', md5('portal account ' || n)::uuid, md5('portal customer ' || 1000 + n * 50 + m)::uuid
from generate_series(20, 200, 20) n, generate_series(1, 50) m;

-- What they wrote, and what they owe.
insert into public.portal_threads (id, org_id, customer_id, subject, status, created_by_portal_account_id)
select md5('portal thread ' || n || '/' || t)::uuid, '11111111-1111-4111-8111-111111111111', md5('portal customer ' || n)::uuid,
  'Question ' || t, 'open', md5('portal account ' || n)::uuid
from generate_series(1, 200) n, generate_series(1, 5) t;
insert into public.portal_messages (org_id, customer_id, thread_id, sender_type, sender_portal_account_id, body, sent_at)
select t.org_id, t.customer_id, t.id, case when m % 2 = 0 then 'portal_customer' else 'internal_user' end::public.portal_sender_type,
  case when m % 2 = 0 then t.created_by_portal_account_id end, 'Message ' || m, now() - make_interval(hours => m)
from public.portal_threads t, generate_series(1, 10) m
where t.org_id = '11111111-1111-4111-8111-111111111111' and t.subject like 'Question %';
insert into public.invoices (org_id, customer_id, number, status, total)
select '11111111-1111-4111-8111-111111111111', p.id, 'BENCH-' || p.n, case when p.n % 3 = 0 then 'sent' else 'paid' end, 100 + p.n % 900
from bench.people p;

alter table public.customers enable trigger user;
alter table public.customer_locations enable trigger user;
alter table public.work_orders enable trigger user;
alter table public.portal_accounts enable trigger user;
