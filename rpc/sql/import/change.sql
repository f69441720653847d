-- In: {org_id, customers: [{id, set, preferences}], contacts: [{customer_id, place, …}], locations: [{customer_id,
-- place, …}]}: what import/compare.sql answers, the children in lists of their own as for import/create.sql. Out: {}.
-- Adds what is missing, but tags, and sets what differs. The first contact or location of a customer becomes its
-- primary one.
with given as materialized (
  select g.* from jsonb_to_recordset($1 -> 'customers') as g (id uuid, set jsonb, preferences jsonb)
), given_contacts as materialized (
  select gen_random_uuid() as id, x.*, x.place = 1 and not exists (
    select from public.customer_contacts o
    where o.org_id = ($1 ->> 'org_id')::uuid and o.customer_id = x.customer_id) as is_first
  from jsonb_to_recordset($1 -> 'contacts') as x (customer_id uuid, place integer, type public.contact_type, value text,
    value_raw text)
), spelled_locations as materialized (
  select x.*
  from jsonb_to_recordset($1 -> 'locations') as x (customer_id uuid, place integer, label text,
    type public.location_type, address_line1 text, address_line2 text, city text, state text, postal_code text,
    country text, latitude numeric, longitude numeric)
), given_locations as materialized (
  select gen_random_uuid() as id, x.*, x.place = 1 and not exists (
    select from public.customer_locations o
    where o.org_id = ($1 ->> 'org_id')::uuid and o.customer_id = x.customer_id) as is_first
  from spelled_locations x
  where x.place = 1 or not exists (
    select from spelled_locations o where o.customer_id = x.customer_id and o.place < x.place
      and fieldcrm.fold(o.address_line1) = fieldcrm.fold(x.address_line1)
      and fieldcrm.fold(o.city) = fieldcrm.fold(x.city)
      and fieldcrm.fold(coalesce(o.postal_code, '')) = fieldcrm.fold(coalesce(x.postal_code, '')))
), changed as (
  update public.customers c
  set (type, name, first_name, last_name, company_name, email, phone, phone_raw, status, lifecycle_stage,
      pipeline_stage, source, preferred_language, notes, external_ref, primary_contact_id, primary_location_id) = (
    select n.type, n.name, n.first_name, n.last_name, n.company_name, n.email, n.phone, n.phone_raw, n.status,
      n.lifecycle_stage, n.pipeline_stage, n.source, n.preferred_language, n.notes, n.external_ref,
      coalesce(d.contact_id, n.primary_contact_id), coalesce(d.location_id, n.primary_location_id)
    from jsonb_populate_record(c, d.set) n)
  from (
    select g.id, g.set, x.id as contact_id, l.id as location_id
    from given g
    left join given_contacts x on x.customer_id = g.id and x.is_first
    left join given_locations l on l.customer_id = g.id and l.is_first
    where g.set <> '{}' or x.id is not null or l.id is not null) d
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = d.id
), contacts as (
  insert into public.customer_contacts (id, org_id, customer_id, type, value, value_raw, is_primary)
  select x.id, ($1 ->> 'org_id')::uuid, x.customer_id, x.type, x.value, x.value_raw, x.is_first from given_contacts x
), locations as (
  insert into public.customer_locations (id, org_id, customer_id, label, type, address_line1, address_line2, city,
    state, postal_code, country, latitude, longitude, is_primary)
  select x.id, ($1 ->> 'org_id')::uuid, x.customer_id, x.label, x.type, x.address_line1, x.address_line2, x.city,
    x.state, x.postal_code, x.country, x.latitude, x.longitude, x.is_first
  from given_locations x
), preferences as (
  insert into public.crm_preferences as p (org_id, customer_id, do_not_contact, do_not_email, do_not_sms, do_not_call)
  select ($1 ->> 'org_id')::uuid, g.id, coalesce(n.do_not_contact, false), coalesce(n.do_not_email, false),
    coalesce(n.do_not_sms, false), coalesce(n.do_not_call, false)
  from given g
  left join public.crm_preferences o on o.org_id = ($1 ->> 'org_id')::uuid and o.customer_id = g.id
  cross join lateral jsonb_populate_record(o, g.preferences) n
  where g.preferences <> '{}'
  on conflict (org_id, customer_id) do update set (do_not_contact, do_not_email, do_not_sms, do_not_call)
    = (excluded.do_not_contact, excluded.do_not_email, excluded.do_not_sms, excluded.do_not_call)
)
select '{}'::jsonb
