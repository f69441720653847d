-- In: {org_id, id, user_id, set, contacts: {add, change, delete}, locations: {…}, preferences or null,
-- tags (all of them known) or null}. Out: {contacts: [ids found], locations: [ids found]} of change and delete, and
-- {contact_id, location_id}: the added child that wants to be the primary one.
with input as materialized (
  select ($1 ->> 'org_id')::uuid as org_id, ($1 ->> 'id')::uuid as id
), changed as (
  update public.customers c
  set (type, name, first_name, last_name, company_name, email, phone, phone_raw, status, lifecycle_stage,
      pipeline_stage, source, preferred_language, notes, external_ref, owner_id) = (
    select n.type, n.name, n.first_name, n.last_name, n.company_name, n.email, n.phone, n.phone_raw, n.status,
      n.lifecycle_stage, n.pipeline_stage, n.source, n.preferred_language, n.notes, n.external_ref, n.owner_id
    from jsonb_populate_record(c, $1 -> 'set') n)
  from input i
  where c.org_id = i.org_id and c.id = i.id and $1 -> 'set' <> '{}'
  returning c.id
), contacts_changed as (
  update public.customer_contacts c
  set (type, value, value_raw, is_verified, opt_in_marketing, opt_in_transactional, preferred_channel, notes) = (
    select n.type, n.value, n.value_raw, n.is_verified, n.opt_in_marketing, n.opt_in_transactional, n.preferred_channel, n.notes
    from jsonb_populate_record(c, g.set) n)
  from input i, jsonb_to_recordset($1 -> 'contacts' -> 'change') as g (id uuid, set jsonb)
  where c.org_id = i.org_id and c.customer_id = i.id and c.id = g.id
  returning c.id
), contacts_deleted as (
  delete from public.customer_contacts c
  using input i, jsonb_array_elements_text($1 -> 'contacts' -> 'delete') g
  where c.org_id = i.org_id and c.customer_id = i.id and c.id = g::uuid
  returning c.id
), contacts_added as (
  -- Adding one that is there already only finds it.
  insert into public.customer_contacts (org_id, customer_id, type, value, value_raw, is_verified,
    opt_in_marketing, opt_in_transactional, preferred_channel, notes)
  select i.org_id, i.id, g.type, g.value, g.value_raw, g.is_verified, g.opt_in_marketing, g.opt_in_transactional,
    g.preferred_channel, g.notes
  from input i, jsonb_to_recordset($1 -> 'contacts' -> 'add') as g (type public.contact_type, value text,
    value_raw text, is_verified boolean, opt_in_marketing boolean, opt_in_transactional boolean,
    preferred_channel boolean, notes text)
  on conflict (customer_id, type, value) do update set value = excluded.value
  returning id, type, value
), locations_changed as (
  update public.customer_locations l
  set (label, type, address_line1, address_line2, city, state, postal_code, country, latitude, longitude) = (
    select n.label, n.type, n.address_line1, n.address_line2, n.city, n.state, n.postal_code, n.country, n.latitude, n.longitude
    from jsonb_populate_record(l, g.set) n)
  from input i, jsonb_to_recordset($1 -> 'locations' -> 'change') as g (id uuid, set jsonb)
  where l.org_id = i.org_id and l.customer_id = i.id and l.id = g.id
  returning l.id
), locations_deleted as (
  delete from public.customer_locations l
  using input i, jsonb_array_elements_text($1 -> 'locations' -> 'delete') g
  where l.org_id = i.org_id and l.customer_id = i.id and l.id = g::uuid
  returning l.id
), locations_given as materialized (
  select gen_random_uuid() as id, g.*
  from jsonb_to_recordset($1 -> 'locations' -> 'add') as g (label text, type public.location_type,
    address_line1 text, address_line2 text, city text, state text, postal_code text, country text,
    latitude numeric, longitude numeric, is_primary boolean)
), locations_added as (
  insert into public.customer_locations (id, org_id, customer_id, label, type, address_line1, address_line2, city,
    state, postal_code, country, latitude, longitude)
  select g.id, i.org_id, i.id, g.label, g.type, g.address_line1, g.address_line2, g.city,
    g.state, g.postal_code, g.country, g.latitude, g.longitude
  from input i, locations_given g
), preferences as (
  insert into public.crm_preferences as p (org_id, customer_id, do_not_contact, do_not_email, do_not_sms, do_not_call,
    preferred_contact_window_start, preferred_contact_window_end, notes)
  select i.org_id, i.id, coalesce(g.do_not_contact, false), coalesce(g.do_not_email, false),
    coalesce(g.do_not_sms, false), coalesce(g.do_not_call, false),
    g.preferred_contact_window_start, g.preferred_contact_window_end, g.notes
  from input i, jsonb_populate_record(null::public.crm_preferences, $1 -> 'preferences') g
  where jsonb_typeof($1 -> 'preferences') = 'object'
  on conflict (customer_id) do update set (do_not_contact, do_not_email, do_not_sms, do_not_call,
    preferred_contact_window_start, preferred_contact_window_end, notes) = (
    select n.do_not_contact, n.do_not_email, n.do_not_sms, n.do_not_call,
      n.preferred_contact_window_start, n.preferred_contact_window_end, n.notes
    from jsonb_populate_record(p, $1 -> 'preferences') n)
), wanted_tags as materialized (
  select t.id
  from jsonb_array_elements_text(case jsonb_typeof($1 -> 'tags') when 'array' then $1 -> 'tags' else '[]' end) g
  join public.crm_tags t on t.org_id = (select i.org_id from input i) and t.name_key = lower(g)
), untagged as (
  delete from public.crm_customer_tags ct using input i
  where ct.org_id = i.org_id and ct.customer_id = i.id and jsonb_typeof($1 -> 'tags') = 'array'
    and ct.tag_id not in (select w.id from wanted_tags w)
), tagged as (
  insert into public.crm_customer_tags (org_id, customer_id, tag_id, assigned_by_user_id)
  select i.org_id, i.id, w.id, ($1 ->> 'user_id')::uuid from wanted_tags w, input i
  on conflict (org_id, customer_id, tag_id) do nothing
)
select jsonb_build_object(
  'contacts', coalesce((select jsonb_agg(id) from (select id from contacts_changed union all select id from contacts_deleted) x), '[]'),
  'locations', coalesce((select jsonb_agg(id) from (select id from locations_changed union all select id from locations_deleted) x), '[]'),
  'contact_id', (select a.id from contacts_added a
    join jsonb_to_recordset($1 -> 'contacts' -> 'add') as g (type public.contact_type, value text, is_primary boolean)
      on g.type = a.type and g.value = a.value where g.is_primary),
  'location_id', (select g.id from locations_given g where g.is_primary))
