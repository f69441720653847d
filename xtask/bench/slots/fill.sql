-- 200 technicians who work every day, four visits of each on each of 60 days, and a customer who asks when somebody could come.
-- Run by `cargo xtask bench slots`.
insert into public.orgs (id, name, time_zone) values ('aaaaaaaa-0000-4000-8000-000000000001', 'Slots', 'Europe/Vienna');
insert into public.portal_settings (org_id, horizon_days) values ('aaaaaaaa-0000-4000-8000-000000000001', 90);
insert into public.service_types (org_id, code, name, duration_minutes, buffer_minutes)
values ('aaaaaaaa-0000-4000-8000-000000000001', 'repair', 'Repair', 60, 15);
insert into auth.users (id, email)
select md5('slots ' || n)::uuid, 'slots' || n || '@bench.example' from generate_series(0, 200) n;
insert into public.profiles (id, org_id, role)
select md5('slots ' || n)::uuid, 'aaaaaaaa-0000-4000-8000-000000000001', case n when 0 then 'portal_customer' else 'technician' end
from generate_series(0, 200) n;
insert into public.technician_hours (org_id, technician_id, weekday, start_time, end_time)
select p.org_id, p.id, d, h.start_time::time, h.end_time::time
from public.profiles p, generate_series(1, 7) d, (values ('09:00', '12:00'), ('13:00', '17:00')) as h (start_time, end_time)
where p.org_id = 'aaaaaaaa-0000-4000-8000-000000000001' and p.role = 'technician';
insert into public.technician_skills (org_id, technician_id, service_type_id)
select p.org_id, p.id, s.id
from public.profiles p join public.service_types s using (org_id)
where p.org_id = 'aaaaaaaa-0000-4000-8000-000000000001' and p.role = 'technician';
insert into public.customers (id, org_id, type, name)
values ('aaaaaaaa-0000-4000-8000-000000000002', 'aaaaaaaa-0000-4000-8000-000000000001', 'company', 'Customer');
select setseed(0.5);
insert into public.customer_locations (id, org_id, customer_id, address_line1, city, latitude, longitude)
select md5('slots location ' || n)::uuid, 'aaaaaaaa-0000-4000-8000-000000000001', 'aaaaaaaa-0000-4000-8000-000000000002', 'Street', 'City',
  48 + random() / 2, 16 + random() / 2
from generate_series(1, 500) n;
insert into public.portal_accounts (org_id, user_id, customer_id)
values ('aaaaaaaa-0000-4000-8000-000000000001', md5('slots 0')::uuid, 'aaaaaaaa-0000-4000-8000-000000000002');
insert into public.work_orders (org_id, customer_id, location_id, technician_id, title, window_start, window_end)
select p.org_id, 'aaaaaaaa-0000-4000-8000-000000000002', md5('slots location ' || 1 + (random() * 498)::integer)::uuid, p.id, 'Visit',
  d.day + make_interval(mins => 540 + 100 * n), d.day + make_interval(mins => 600 + 100 * n)
from public.profiles p, generate_series(1, 60) day, generate_series(0, 3) n,
  lateral (select ((current_date + day)::timestamp at time zone 'Europe/Vienna') as day) d
where p.org_id = 'aaaaaaaa-0000-4000-8000-000000000001' and p.role = 'technician';
