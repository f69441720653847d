-- One org of four has :customers customers (50,000) with :interactions interactions each (20); the others share a
-- fifth as many. Without triggers; the figures that they would keep are filled by one statement.
\if :{?customers}
\else
  \set customers 50000
  \set interactions 20
\endif
set session_replication_role = replica;

insert into public.orgs (id, name, time_zone) values
  ('11111111-1111-4111-8111-111111111111', 'Northwind Heating & Plumbing', 'America/Chicago'),
  ('bbbbbbb3-0000-4000-8000-000000000003', 'Third', 'UTC'), ('bbbbbbb4-0000-4000-8000-000000000004', 'Fourth', 'UTC')
on conflict (id) do nothing;

create schema if not exists bench;
-- The same on every machine, and independent for each salt.
create function bench.roll(n bigint, salt bigint, sides integer) returns integer language sql immutable parallel safe as $$
  select abs(hashint8(n * 1000003 + salt) % sides)
$$;
create table bench.org (n integer primary key, id uuid not null);
insert into bench.org values (0, '11111111-1111-4111-8111-111111111111'), (1, '22222222-2222-4222-8222-222222222222'),
  (2, 'bbbbbbb3-0000-4000-8000-000000000003'), (3, 'bbbbbbb4-0000-4000-8000-000000000004');

-- Numbered over all orgs: first those of the large one.
create table bench.customer as
select n, case when n <= :customers then 0 else 1 + n % 3 end as org, md5('segment bench ' || n)::uuid as id
from generate_series(1, :customers + :customers / 5) n;

insert into public.crm_tags (org_id, name)
select o.id, t.name from bench.org o cross join (values ('VIP'), ('Net 30'), ('Seasonal')) t (name)
on conflict do nothing;

insert into public.customer_locations (id, org_id, customer_id, address_line1, city, country, is_primary)
select md5('location ' || b.n)::uuid, o.id, b.id, '1 Main Street',
  (array['Chicago', 'Evanston', 'Oak Park', 'Naperville', 'Milwaukee', 'Springfield', 'Peoria', 'Aurora', 'Joliet',
    'Elgin', 'Rockford', 'Cicero', 'Skokie', 'Wheaton', 'Berwyn', 'Decatur', 'Normal', 'Moline', 'Quincy', 'Galena'])[1 + bench.roll(b.n, 1, 20)],
  'US', true
from bench.customer b join bench.org o on o.n = b.org;

insert into public.customers (id, org_id, type, name, email, status, lifecycle_stage, primary_location_id, created_at)
select b.id, o.id, case when b.n % 4 = 0 then 'company' else 'individual' end::public.customer_type, 'Customer ' || b.n,
  'customer' || b.n || '@example.com',
  (array['active', 'active', 'active', 'prospect', 'inactive'])[1 + bench.roll(b.n, 2, 5)]::public.customer_status,
  'customer', md5('location ' || b.n)::uuid, now() - make_interval(days => 30 + b.n % 1000)
from bench.customer b join bench.org o on o.n = b.org;

insert into public.crm_customer_tags (org_id, customer_id, tag_id)
select o.id, b.id, t.id
from bench.customer b join bench.org o on o.n = b.org
join public.crm_tags t on t.org_id = o.id and (
  (t.name = 'VIP' and bench.roll(b.n, 3, 10) = 0) or (t.name = 'Net 30' and bench.roll(b.n, 4, 4) = 0)
  or (t.name = 'Seasonal' and bench.roll(b.n, 5, 5) = 0));

-- A third of the customers has been silent for more than half a year; sentiment is negative in one of ten.
insert into public.crm_interactions (org_id, customer_id, channel, direction, sentiment, occurred_at, created_at)
select o.id, b.id, 'phone_inbound', 'inbound',
  (array['positive', 'neutral', 'neutral', 'positive', null, 'neutral', 'positive', null, 'neutral', 'negative'])[1 + bench.roll(b.n * 100 + i, 6, 10)]::public.sentiment,
  t.at, t.at
from bench.customer b join bench.org o on o.n = b.org
cross join generate_series(1, :interactions) i
cross join lateral (select now() - make_interval(
  days => case when bench.roll(b.n, 7, 3) = 0 then 200 else 2 end + bench.roll(b.n * 100 + i, 8, 700)) as at) t;

insert into public.customer_metrics (customer_id, org_id, interactions_count, positive_count, neutral_count, negative_count,
  last_interaction_at)
select i.customer_id, i.org_id, count(*), count(*) filter (where i.sentiment = 'positive'),
  count(*) filter (where i.sentiment = 'neutral'), count(*) filter (where i.sentiment = 'negative'), max(i.occurred_at)
from public.crm_interactions i join bench.customer b on b.id = i.customer_id
group by i.customer_id, i.org_id;

set session_replication_role = origin;
grant usage on schema bench to public;
grant select on all tables in schema bench to public;
