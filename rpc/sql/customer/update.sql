-- In: {org_id, id, user_id, set, contacts: {add, change, delete}, locations: {…}, preferences or null,
-- tags (all of them known) or null}. A contact to add has given: {column: value} (what the client said of it,
-- for the case that it is there) and endpoint: true if it only stands for the customer's e-mail or phone. Out: {contacts: [ids found], locations: [ids found]} of change and delete, and
-- {contact_id, location_id}: the added child that wants to be the primary one.
with input as materialized (
  select ($1 ->> 'org_id')::uuid as org_id, ($1 ->> 'id')::uuid as id
), contacts_after as materialized (
  -- What the patch makes of the contacts that are there. The kind is the column of customers that mirrors
  -- such a contact.
  select c.id, c.value as value_before, n.value, n.value_raw, c.is_primary, c.created_at,
    case when c.type = 'email' then 'email' when c.type in ('mobile', 'phone') then 'phone' end as kind_before,
    case when $1 -> 'contacts' -> 'delete' ? c.id::text then null
      when n.type = 'email' then 'email' when n.type in ('mobile', 'phone') then 'phone' end as kind
  from input i
  join public.customer_contacts c on c.org_id = i.org_id and c.customer_id = i.id
  left join jsonb_to_recordset($1 -> 'contacts' -> 'change') as g (id uuid, set jsonb) on g.id = c.id
  cross join jsonb_populate_record(c, g.set) n
), mirrored as materialized (
  -- The customer's e-mail and phone follow the contact that they mirror: to its new value, or to the next
  -- contact of the kind. What the patch sets itself stays.
  select m.kind, next.value, next.value_raw
  from input i
  join public.customers u on u.org_id = i.org_id and u.id = i.id
  cross join lateral (values ('email', u.email), ('phone', u.phone)) as m (kind, value)
  left join lateral (
    select x.value, x.value_raw
    from (
      select a.value, a.value_raw, a.kind_before = m.kind and a.value_before = m.value as same, a.is_primary,
        a.created_at, a.id, null::bigint as n
      from contacts_after a where a.kind = m.kind
      union all
      select g.value, g.value_raw, false, coalesce(g.is_primary, false), null, null, g.n
      from rows from (jsonb_to_recordset($1 -> 'contacts' -> 'add')
        as (type public.contact_type, value text, value_raw text, is_primary boolean)) with ordinality
        as g (type, value, value_raw, is_primary, n)
      where case when g.type = 'email' then 'email' when g.type in ('mobile', 'phone') then 'phone' end = m.kind
    ) x
    order by x.value = m.value desc, x.same desc, x.is_primary desc, x.created_at, x.id, x.n
    limit 1) next on true
  where not $1 -> 'set' ? m.kind
    and exists (select from contacts_after a where a.kind_before = m.kind and a.value_before = m.value)
    and not exists (select from contacts_after a where a.kind = m.kind and a.value = m.value)
), customer_patch as materialized (
  select ($1 -> 'set') || coalesce((select jsonb_object_agg(m.kind, m.value) from mirrored m), '{}')
    || coalesce((select jsonb_build_object('phone_raw', m.value_raw) from mirrored m where m.kind = 'phone'), '{}') as set
), changed as (
  update public.customers c
  set (type, name, first_name, last_name, company_name, email, phone, phone_raw, status, lifecycle_stage,
      pipeline_stage, source, preferred_language, notes, external_ref, owner_id, product_id) = (
    select n.type, n.name, n.first_name, n.last_name, n.company_name, n.email, n.phone, n.phone_raw, n.status,
      n.lifecycle_stage, n.pipeline_stage, n.source, n.preferred_language, n.notes, n.external_ref, n.owner_id, n.product_id
    from jsonb_populate_record(c, p.set) n)
  from input i, customer_patch p
  where c.org_id = i.org_id and c.id = i.id and p.set <> '{}'
  returning c.id
), contacts_deleted as (
  delete from public.customer_contacts c
  using input i, jsonb_array_elements_text($1 -> 'contacts' -> 'delete') g
  where c.org_id = i.org_id and c.customer_id = i.id and c.id = g::uuid
  returning c.id
), contacts_changed as (
  -- After the deletions, whose values may come back. Who verified the old value has not verified the new one.
  update public.customer_contacts c
  set (type, value, value_raw, is_verified, opt_in_marketing, opt_in_transactional, preferred_channel, notes) = (
    select n.type, n.value, n.value_raw, n.is_verified and (g.set ? 'is_verified' or n.value = c.value), n.opt_in_marketing, n.opt_in_transactional, n.preferred_channel, n.notes
    from jsonb_populate_record(c, g.set) n)
  from input i, jsonb_to_recordset($1 -> 'contacts' -> 'change') as g (id uuid, set jsonb)
  where c.org_id = i.org_id and c.customer_id = i.id and c.id = g.id
    and (select count(*) from contacts_deleted) >= 0
  returning c.id
), contacts_added as (
  -- One that is there already takes over what the client said of it, a withdrawn consent above all.
  insert into public.customer_contacts as x (org_id, customer_id, type, value, value_raw, is_verified,
    opt_in_marketing, opt_in_transactional, preferred_channel, notes)
  select i.org_id, i.id, g.type, g.value, g.value_raw, g.is_verified, g.opt_in_marketing, g.opt_in_transactional,
    g.preferred_channel, g.notes
  from input i, jsonb_to_recordset($1 -> 'contacts' -> 'add') as g (type public.contact_type, value text,
    value_raw text, is_verified boolean, opt_in_marketing boolean, opt_in_transactional boolean,
    preferred_channel boolean, notes text, endpoint boolean)
  where (select count(*) from contacts_changed) + (select count(*) from contacts_deleted) >= 0
    and (g.endpoint is not true or not exists (select from contacts_after a where a.value = g.value
      and a.kind = case when g.type = 'email' then 'email' else 'phone' end))
  on conflict (org_id, customer_id, type, value) do update
    set (is_verified, opt_in_marketing, opt_in_transactional, preferred_channel, notes) = (
      select n.is_verified, n.opt_in_marketing, n.opt_in_transactional, n.preferred_channel, n.notes
      from jsonb_populate_record(x, (
        select g.given from jsonb_to_recordset($1 -> 'contacts' -> 'add') as g (type public.contact_type, value text, given jsonb)
        where g.type = excluded.type and g.value = excluded.value)) n)
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
  on conflict (org_id, customer_id) do update set (do_not_contact, do_not_email, do_not_sms, do_not_call,
    preferred_contact_window_start, preferred_contact_window_end, notes) = (
    select n.do_not_contact, n.do_not_email, n.do_not_sms, n.do_not_call,
      n.preferred_contact_window_start, n.preferred_contact_window_end, n.notes
    from jsonb_populate_record(p, $1 -> 'preferences') n)
), wanted_tags as materialized (
  select distinct t.id
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
