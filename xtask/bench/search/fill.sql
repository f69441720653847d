-- Four orgs with 50,000 customers each, with contacts, locations and tags, over three years: names, mail providers,
-- area codes and cities as unevenly spread as in life. The same on every machine: all by arithmetic on the number.
-- Triggers are off while the rows come in, and the search rows are made in bulk at the end.

insert into public.orgs (id, name, time_zone, default_country) values
  ('33333333-3333-4333-8333-333333333333', 'Third', 'America/New_York', 'US'),
  ('44444444-4444-4444-8444-444444444444', 'Fourth', 'America/New_York', 'US');

alter table public.customers disable trigger user;
alter table public.customer_contacts disable trigger user;
alter table public.customer_locations disable trigger user;
alter table public.crm_customer_tags disable trigger user;

create schema if not exists bench;

-- hash(n, salt): evenly spread in [0, 1). Its square favours the first entries of a list.
create function bench.spread(n integer, salt integer) returns double precision
language sql immutable parallel safe as $$
  select (hashint8(n::bigint * 1000 + salt) & 1073741823) / 1073741824.0::double precision
$$;

create table bench.people as
with lists as materialized (
  select
    regexp_split_to_array('james mary robert patricia john jennifer michael linda david elizabeth william barbara richard susan
      joseph jessica thomas sarah charles karen christopher lisa daniel nancy matthew betty anthony margaret mark sandra
      donald ashley steven kimberly paul emily andrew donna joshua michelle kenneth carol kevin amanda brian dorothy george
      melissa edward deborah josé zoë günther renée søren françois mei hiroshi olga fatima', '\s+') as firsts,
    regexp_split_to_array('smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez
      wilson anderson thomas taylor moore jackson martin lee perez thompson white harris sanchez clark ramirez lewis
      robinson walker young allen king wright scott torres nguyen hill flores green adams nelson baker hall rivera
      campbell mitchell carter roberts gomez phillips evans turner diaz parker cruz edwards collins reyes stewart morris
      morales murphy cook rogers gutierrez ortiz morgan cooper peterson bailey reed kelly howard ramos kim cox ward
      richardson watson brooks chavez wood james bennett gray mendoza ruiz hughes price alvarez castillo sanders patel
      myers long ross foster jimenez powell jenkins perry russell sullivan bell coleman butler henderson barnes fisher
      vasquez simmons romero jordan patterson alexander hamilton graham reynolds griffin wallace moreno west cole hayes
      bryant herrera gibson ellis tran medina stevens ford marshall owens müller muñoz łukasik ångström zimmermann
      quackenbush vandersloot fitzwilliam oyelaran xiong', '\s+') as lasts,
    regexp_split_to_array('plumbing heating roofing electric dental bakery logistics consulting interiors brewing motors
      property landscaping security pharmacy', '\s+') as trades,
    regexp_split_to_array('main oak maple cedar elm washington lake hill park pine walnut spring north ridge church willow mill
      sunset railroad jackson franklin highland river lincoln jefferson chestnut dogwood locust meadow canterbury
      blackthorn larkspur', '\s+') as streets,
    regexp_split_to_array('street avenue road lane drive court boulevard', '\s+') as ways,
    regexp_split_to_array('New York,Chicago,Houston,Phoenix,San Antonio,San Diego,Dallas,Austin,Columbus,Charlotte,Seattle,
      Denver,Boston,Nashville,Portland,Baltimore,Milwaukee,Tucson,Fresno,Sacramento,Omaha,Raleigh,Oakland,Tulsa,Tampa,
      Wichita,Cleveland,Honolulu,Riverside,Lexington,Stockton,Cincinnati,Anchorage,Greensboro,Plano,Newark,Lincoln,
      Orlando,Toledo,Madison,Durham,Laredo,Lubbock,Reno,Glendale,Hialeah,Garland,Norfolk,Boise,Spokane,Winnemucca', ',\s*') as cities,
    regexp_split_to_array('NY,IL,TX,AZ,CA,OH,NC,WA,CO,MA,TN,OR,MD,WI,NE,OK,FL,KS,HI,KY,AK,NJ,NV,ID', ',\s*') as states,
    regexp_split_to_array('212 312 713 602 210 619 214 512 614 704 206 303 617 615 503 410 414 520 559 916 402 919 510 918 813
      316 216 808 951 859 209 513 907 336 972 973 407 419 608 984 956 806 775 818 305 757 208 509', '\s+') as areas
), numbers as (
  select o.org_id, o.k * 50000 + g as n, bench.spread(o.k * 50000 + g, 9) < 0.2 as is_company,
    1 + floor(200 * bench.spread(o.k * 50000 + g, 1) ^ 2)::integer as by_last, o.country
  from generate_series(1, 50000) g, (values
    (0, '11111111-1111-4111-8111-111111111111'::uuid, 'US'), (1, '22222222-2222-4222-8222-222222222222', 'GB'),
    (2, '33333333-3333-4333-8333-333333333333', 'US'), (3, '44444444-4444-4444-8444-444444444444', 'US')) o (k, org_id, country)
)
select gen_random_uuid() as id, gen_random_uuid() as contact_id, gen_random_uuid() as location_id, n.org_id, n.n, n.is_company,
  initcap(l.firsts[1 + floor(cardinality(l.firsts) * bench.spread(n.n, 2) ^ 1.5)::integer]) as first_name,
  initcap(l.lasts[1 + floor(cardinality(l.lasts) * bench.spread(n.n, 1) ^ 2)::integer]) as last_name,
  initcap(l.trades[1 + floor(cardinality(l.trades) * bench.spread(n.n, 3))::integer]) as trade,
  case when bench.spread(n.n, 4) < 0.45 then 'gmail.com' when bench.spread(n.n, 4) < 0.6 then 'yahoo.com'
    when bench.spread(n.n, 4) < 0.7 then 'hotmail.com' when bench.spread(n.n, 4) < 0.78 then 'icloud.com'
    else 'mail' || floor(3000 * bench.spread(n.n, 5))::integer || '.example' end as provider,
  '+1' || l.areas[1 + floor(cardinality(l.areas) * bench.spread(n.n, 6) ^ 2)::integer]
    || lpad((2000000 + floor(8000000 * bench.spread(n.n, 7)))::integer::text, 7, '0') as phone,
  (1 + floor(9900 * bench.spread(n.n, 8) ^ 2))::integer || ' '
    || initcap(l.streets[1 + floor(cardinality(l.streets) * bench.spread(n.n, 10))::integer]) || ' '
    || initcap(l.ways[1 + floor(cardinality(l.ways) * bench.spread(n.n, 11))::integer]) as street,
  l.cities[1 + floor(cardinality(l.cities) * bench.spread(n.n, 12) ^ 2)::integer] as city,
  l.states[1 + floor(cardinality(l.states) * bench.spread(n.n, 13))::integer] as state,
  lpad(floor(99999 * bench.spread(n.n, 14))::integer::text, 5, '0') as postal_code,
  bench.spread(n.n, 15) as chance,
  timestamptz '2023-01-01' + bench.spread(n.n, 16) * interval '1000 days' as created_at
from numbers n, lists l
order by n.org_id, created_at;

insert into public.customers (id, org_id, type, name, first_name, last_name, company_name, email, phone, status, lifecycle_stage,
  pipeline_stage, source, is_archived, created_at, updated_at)
select p.id, p.org_id, case when p.is_company then 'company' else 'individual' end::public.customer_type,
  case when p.is_company then p.last_name || ' ' || p.trade else p.first_name || ' ' || p.last_name end,
  case when not p.is_company then p.first_name end, case when not p.is_company then p.last_name end,
  case when p.is_company then p.last_name || ' ' || p.trade end,
  lower(extensions.unaccent(p.first_name || '.' || p.last_name)) || p.n || '@' || p.provider, p.phone,
  case when p.chance < 0.6 then 'active' when p.chance < 0.85 then 'prospect' when p.chance < 0.998 then 'inactive'
    else 'blacklisted' end::public.customer_status,
  case when p.chance < 0.55 then 'customer' when p.chance < 0.75 then 'lead' when p.chance < 0.9 then 'opportunity'
    else 'former_customer' end::public.lifecycle_stage,
  case when p.chance < 0.55 then 'closed_won' when p.chance < 0.75 then 'lead' when p.chance < 0.85 then 'qualified'
    when p.chance < 0.9 then 'proposal' else 'closed_lost' end,
  'web', bench.spread(p.n, 17) < 0.05, p.created_at, p.created_at
from bench.people p;

insert into public.customer_contacts (id, org_id, customer_id, type, value, is_primary)
select p.contact_id, c.org_id, c.id, 'email'::public.contact_type, c.email, true from public.customers c join bench.people p using (id)
union all
select gen_random_uuid(), c.org_id, c.id, 'mobile'::public.contact_type, c.phone, false from public.customers c join bench.people p using (id);

insert into public.customer_locations (id, org_id, customer_id, address_line1, city, state, postal_code, is_primary)
select p.location_id, p.org_id, p.id, p.street, p.city, p.state, p.postal_code, true from bench.people p;

update public.customers c set primary_contact_id = p.contact_id, primary_location_id = p.location_id
from bench.people p where p.id = c.id;

insert into public.crm_tags (org_id, name)
select o.id, t.name from public.orgs o, unnest(array['VIP', 'Commercial', 'Seasonal']) as t (name)
on conflict (org_id, name_key) do nothing;
insert into public.crm_customer_tags (org_id, customer_id, tag_id)
select p.org_id, p.id, t.id
from bench.people p join public.crm_tags t on t.org_id = p.org_id
where t.name = 'Commercial' and p.is_company or t.name = 'VIP' and bench.spread(p.n, 18) < 0.02
  or t.name = 'Seasonal' and bench.spread(p.n, 19) < 0.001;

-- An index that is built over the rows takes a tenth of the time of one that grows with them.
do $fill$
declare
  definition constant text := pg_get_indexdef('fieldcrm.idx_customer_search_text'::regclass);
begin
  drop index fieldcrm.idx_customer_search_text;
  insert into fieldcrm.customer_search (customer_id, org_id, created_at, search_text)
  select c.id, c.org_id, c.created_at, fieldcrm.search_text(c) from public.customers c join bench.people p using (id)
  order by c.org_id, c.created_at;
  execute definition;
end $fill$;

alter table public.customers enable trigger user;
alter table public.customer_contacts enable trigger user;
alter table public.customer_locations enable trigger user;
alter table public.crm_customer_tags enable trigger user;
drop table bench.people;
