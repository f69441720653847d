-- 5,000 customers of one org with a verified e-mail each, 20 rules that listen to work orders, and the bare rivals.
-- Filled through the product's own triggers where they matter, without them where they do not.
create schema if not exists bench;
set session_replication_role = replica;
insert into public.customers (id, org_id, type, name, email, status, lifecycle_stage)
select md5('automation bench ' || n)::uuid, '11111111-1111-4111-8111-111111111111', 'individual', 'Customer ' || n,
  'customer' || n || '@example.com', 'active', 'customer'
from generate_series(1, 5000) n;
insert into public.customer_contacts (org_id, customer_id, type, value, is_primary, is_verified)
select c.org_id, c.id, 'email', c.email, true, true
from public.customers c where c.org_id = '11111111-1111-4111-8111-111111111111' and c.email like 'customer%@example.com';
insert into public.crm_preferences (org_id, customer_id)
select c.org_id, c.id from public.customers c
where c.org_id = '11111111-1111-4111-8111-111111111111' and c.email like 'customer%@example.com';
set session_replication_role = origin;

-- The bare follow-up: a key, and nothing else.
create table bench.followup (org_id uuid not null, dedupe_key text not null, title text not null, due_at timestamptz not null,
  primary key (org_id, dedupe_key));
-- The bare queue of baselines: visible from vt on, counted at each claim.
create table bench.queue (id bigint generated always as identity primary key, vt timestamptz not null default now(),
  attempts integer not null default 0, message jsonb not null);
create index on bench.queue (vt, id);
