-- In: {org_id, customers: [{n, customer, preferences}], contacts: [{n, …}], locations: [{n, place, …}]}, prepared by core.
-- Out: [{n, id}] of those made; the others' external_ref was taken in the meantime.
-- customer/create.sql for many: one statement, so that the triggers run once. Children in lists of their own:
-- Postgres expects 100 of what a list has, and 100 for each of 100 would cost it more to plan for than to do.
with given as materialized (
  select gen_random_uuid() as id, g.*
  from jsonb_to_recordset($1 -> 'customers') as g (n integer, customer jsonb, preferences jsonb)
), given_contacts as materialized (
  select gen_random_uuid() as id, x.*
  from jsonb_to_recordset($1 -> 'contacts') as x (n integer, type public.contact_type, value text, value_raw text,
    is_primary boolean, is_verified boolean, opt_in_marketing boolean, opt_in_transactional boolean,
    preferred_channel boolean, notes text)
), given_locations as materialized (
  select gen_random_uuid() as id, x.*
  from jsonb_to_recordset($1 -> 'locations') as x (n integer, place integer, label text, type public.location_type,
    address_line1 text, address_line2 text, city text, state text, postal_code text, country text, latitude numeric,
    longitude numeric, is_primary boolean)
), customer as (
  insert into public.customers (id, org_id, type, name, first_name, last_name, company_name, email, phone, phone_raw,
    status, lifecycle_stage, pipeline_stage, source, preferred_language, notes, external_ref, primary_contact_id,
    primary_location_id)
  select g.id, ($1 ->> 'org_id')::uuid, c.type, c.name, c.first_name, c.last_name, c.company_name, c.email, c.phone,
    c.phone_raw, c.status, c.lifecycle_stage, c.pipeline_stage, c.source, c.preferred_language, c.notes,
    c.external_ref, x.id, l.id
  from given g
  cross join lateral jsonb_to_record(g.customer) as c (type public.customer_type, name text, first_name text,
    last_name text, company_name text, email text, phone text, phone_raw text, status public.customer_status,
    lifecycle_stage public.lifecycle_stage, pipeline_stage text, source text, preferred_language text, notes text,
    external_ref text)
  left join given_contacts x on x.n = g.n and x.is_primary
  left join given_locations l on l.n = g.n and l.is_primary
  order by g.n
  on conflict (org_id, external_ref) where external_ref is not null do nothing
  returning id, org_id
), contacts as (
  insert into public.customer_contacts (id, org_id, customer_id, type, value, value_raw, is_primary, is_verified,
    opt_in_marketing, opt_in_transactional, preferred_channel, notes)
  select x.id, c.org_id, c.id, x.type, x.value, x.value_raw, x.is_primary, x.is_verified, x.opt_in_marketing,
    x.opt_in_transactional, x.preferred_channel, x.notes
  from customer c join given g on g.id = c.id join given_contacts x on x.n = g.n
), locations as (
  insert into public.customer_locations (id, org_id, customer_id, label, type, address_line1, address_line2, city,
    state, postal_code, country, latitude, longitude, is_primary)
  select x.id, c.org_id, c.id, x.label, x.type, x.address_line1, x.address_line2, x.city, x.state, x.postal_code,
    x.country, x.latitude, x.longitude, x.is_primary
  from customer c join given g on g.id = c.id join given_locations x on x.n = g.n
  -- Several rows of one customer may give one address in two spellings.
  where x.place = 1 or not exists (
    select from given_locations o where o.n = x.n and o.place < x.place
      and fieldcrm.fold(o.address_line1) = fieldcrm.fold(x.address_line1)
      and fieldcrm.fold(o.city) = fieldcrm.fold(x.city)
      and fieldcrm.fold(coalesce(o.postal_code, '')) = fieldcrm.fold(coalesce(x.postal_code, '')))
), preferences as (
  insert into public.crm_preferences (org_id, customer_id, do_not_contact, do_not_email, do_not_sms, do_not_call)
  select c.org_id, c.id, coalesce((g.preferences ->> 'do_not_contact')::boolean, false),
    coalesce((g.preferences ->> 'do_not_email')::boolean, false), coalesce((g.preferences ->> 'do_not_sms')::boolean, false),
    coalesce((g.preferences ->> 'do_not_call')::boolean, false)
  from customer c join given g on g.id = c.id
)
select coalesce(jsonb_agg(jsonb_build_object('n', g.n, 'id', c.id)), '[]') from customer c join given g on g.id = c.id
