-- Eighty customers of the org $1 for react-querybuilder's operators: nulls, empty texts, letters beyond ASCII.
with made as (
  insert into public.customers (org_id, type, name, first_name, last_name, company_name, email, status, lifecycle_stage,
    pipeline_stage, source, preferred_language, notes, external_ref, created_at)
  select $1, (array['individual', 'company'])[1 + n % 2]::public.customer_type,
    (array['Ada Lovelace', 'ada', 'Zoë', 'zoe', 'Müller & Söhne', 'O''Brien', '日本語', '🔧 Pro'])[1 + n % 8] || case when n % 3 = 0 then '' else ' ' || n end,
    (array['Ada', 'Zoë', '', null, 'Bo'])[1 + n % 5], (array['Lovelace', 'Lund', null, 'Ångström'])[1 + n % 4],
    (array['Ada', null, 'Acme', 'Zoë'])[1 + n / 2 % 4], case when n % 4 > 0 then 'customer' || n || '@example.com' end,
    (array['active', 'prospect', 'inactive'])[1 + n % 3]::public.customer_status,
    (array['lead', 'opportunity', 'customer', 'former_customer'])[1 + n % 4]::public.lifecycle_stage,
    (array['lead', 'qualified', 'proposal', 'closed_won'])[1 + n / 3 % 4], (array['web', 'phone', '', null, 'referral'])[1 + n / 2 % 5],
    (array['en', 'de', null])[1 + n % 3], case when n % 7 = 0 then 'Gate code, 10 a.m.' when n % 7 = 1 then '' end,
    case when n % 2 = 0 then 'ERP-' || n end, timestamptz '2026-01-01 00:00:00Z' + make_interval(days => n)
  from generate_series(1, 80) n
  returning id, org_id, name
), placed as (
  insert into public.customer_locations (org_id, customer_id, address_line1, city, state, country, is_primary, latitude)
  select m.org_id, m.id, '1 Main Street', (array['Chicago', 'Köln', 'Evanston'])[1 + length(m.name) % 3], null, 'US', true, 41.5
  from made m where length(m.name) % 4 > 0
  returning customer_id, id
), billed as (
  insert into public.invoices (org_id, customer_id, number, status, total, amount_paid)
  select m.org_id, m.id, m.id::text, 'sent', 100 * (length(m.name) % 6), 50 * (length(m.name) % 3)
  from made m where length(m.name) % 5 > 0
)
select count(*) from made
