-- In: {org_id, user_id, customer, contacts, locations, preferences or null, tags}, prepared by core.
-- Out: the customer with its children nested and unknown_tags: [names], which customer/add_tags.sql
-- makes; null if the external_ref is taken.
-- One statement, and so one snapshot and one plan: foreign keys (also the cycle customers -> primary
-- contact -> customers) are checked at its end. The children are listed in the order they were given:
-- a scan of what an insert returned keeps it.
with customer_id as materialized (
  select gen_random_uuid() as id
), given_contacts as materialized (
  select gen_random_uuid() as id, g.*
  from jsonb_to_recordset($1 -> 'contacts') as g (type public.contact_type, value text, value_raw text,
    is_primary boolean, is_verified boolean, opt_in_marketing boolean, opt_in_transactional boolean,
    preferred_channel boolean, notes text)
), given_locations as materialized (
  select gen_random_uuid() as id, g.*
  from jsonb_to_recordset($1 -> 'locations') as g (label text, type public.location_type, address_line1 text,
    address_line2 text, city text, state text, postal_code text, country text, latitude numeric, longitude numeric,
    is_primary boolean)
), customer as (
  insert into public.customers (id, org_id, type, name, first_name, last_name, company_name, email, phone, phone_raw,
    status, lifecycle_stage, pipeline_stage, source, preferred_language, notes, external_ref, owner_id,
    product_id, primary_contact_id, primary_location_id)
  select (select i.id from customer_id i), ($1 ->> 'org_id')::uuid, c.type, c.name, c.first_name, c.last_name,
    c.company_name, c.email, c.phone, c.phone_raw, c.status, c.lifecycle_stage, c.pipeline_stage, c.source,
    c.preferred_language, c.notes, c.external_ref, c.owner_id, c.product_id,
    (select g.id from given_contacts g where g.is_primary), (select g.id from given_locations g where g.is_primary)
  from jsonb_to_record($1 -> 'customer') as c (type public.customer_type, name text, first_name text,
    last_name text, company_name text, email text, phone text, phone_raw text, status public.customer_status,
    lifecycle_stage public.lifecycle_stage, pipeline_stage text, source text, preferred_language text, notes text,
    external_ref text, owner_id uuid, product_id uuid)
  on conflict (org_id, external_ref) where external_ref is not null do nothing
  returning *
), contacts as (
  insert into public.customer_contacts (id, org_id, customer_id, type, value, value_raw, is_primary, is_verified,
    opt_in_marketing, opt_in_transactional, preferred_channel, notes)
  select g.id, c.org_id, c.id, g.type, g.value, g.value_raw, g.is_primary, g.is_verified,
    g.opt_in_marketing, g.opt_in_transactional, g.preferred_channel, g.notes
  from customer c, given_contacts g
  returning *
), locations as (
  insert into public.customer_locations (id, org_id, customer_id, label, type, address_line1, address_line2, city,
    state, postal_code, country, latitude, longitude, is_primary)
  select g.id, c.org_id, c.id, g.label, g.type, g.address_line1, g.address_line2, g.city,
    g.state, g.postal_code, g.country, g.latitude, g.longitude, g.is_primary
  from customer c, given_locations g
  returning *
), preferences as (
  insert into public.crm_preferences (org_id, customer_id, do_not_contact, do_not_email, do_not_sms, do_not_call,
    preferred_contact_window_start, preferred_contact_window_end, notes)
  select c.org_id, c.id, coalesce(p.do_not_contact, false), coalesce(p.do_not_email, false),
    coalesce(p.do_not_sms, false), coalesce(p.do_not_call, false),
    p.preferred_contact_window_start, p.preferred_contact_window_end, p.notes
  from customer c, jsonb_to_recordset(jsonb_build_array($1 -> 'preferences')) as p (do_not_contact boolean,
    do_not_email boolean, do_not_sms boolean, do_not_call boolean, preferred_contact_window_start time,
    preferred_contact_window_end time, notes text)
  where $1 -> 'preferences' <> 'null'
  returning *
), tags as materialized (
  -- Two names may be one to Postgres that are two to Rust (dotted capital I): the first one counts.
  select distinct on (lower(g.name)) g.name as given, t.id, t.name, t.color
  from jsonb_array_elements_text($1 -> 'tags') with ordinality as g (name, n)
  left join public.crm_tags t on t.org_id = ($1 ->> 'org_id')::uuid and t.name_key = lower(g.name)
  order by lower(g.name), g.n
), tagged as (
  insert into public.crm_customer_tags (org_id, customer_id, tag_id, assigned_by_user_id)
  select c.org_id, c.id, t.id, ($1 ->> 'user_id')::uuid from customer c, tags t where t.id is not null
)
select to_jsonb(c) || jsonb_build_object(
  'contacts', coalesce((select jsonb_agg(to_jsonb(x)) from contacts x), '[]'),
  'locations', coalesce((select jsonb_agg(to_jsonb(x)) from locations x), '[]'),
  'preferences', (select to_jsonb(p) from preferences p),
  'tags', coalesce((select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'color', t.color) order by lower(t.name))
    from tags t where t.id is not null), '[]'),
  'unknown_tags', (select jsonb_agg(t.given) from tags t where t.id is null))
from customer c
