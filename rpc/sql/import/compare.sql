-- In: {org_id, customers: [{n, id, set, contacts, locations, preferences, tags}]}. Out: the same list less all that the
-- customers have already, and less the customers that have everything.
with given as materialized (
  select g.*
  from jsonb_to_recordset($1 -> 'customers') as g (n integer, id uuid, set jsonb, contacts jsonb, locations jsonb,
    preferences jsonb, tags jsonb)
), missing as materialized (
  select g.n, g.id,
    case when to_jsonb(c) @> (g.set - 'phone_raw') then '{}' else (
      select jsonb_object_agg(s.key, s.value)
        || case when g.set -> 'phone' is distinct from to_jsonb(c.phone) and g.set ? 'phone'
          then jsonb_build_object('phone_raw', g.set -> 'phone_raw') else '{}' end
      from jsonb_each(g.set - 'phone_raw') as s where s.value is distinct from to_jsonb(c) -> s.key) end as set,
    coalesce((
      select jsonb_agg(s.contact order by s.place) from jsonb_array_elements(g.contacts) with ordinality as s (contact, place)
      where not exists (select from public.customer_contacts x
        where x.org_id = c.org_id and x.customer_id = c.id and x.value = s.contact ->> 'value'
          and (x.type::text = s.contact ->> 'type'
            or (x.type in ('mobile', 'phone') and s.contact ->> 'type' in ('mobile', 'phone'))))), '[]') as contacts,
    coalesce((
      select jsonb_agg(s.location order by s.place)
      from jsonb_array_elements(g.locations) with ordinality as s (location, place)
      where not exists (select from public.customer_locations x
        where x.org_id = c.org_id and x.customer_id = c.id and (
          (x.address_line1 = s.location ->> 'address_line1' and x.city = s.location ->> 'city'
            and x.postal_code is not distinct from s.location ->> 'postal_code')
          or (fieldcrm.fold(x.address_line1) = fieldcrm.fold(s.location ->> 'address_line1')
            and fieldcrm.fold(x.city) = fieldcrm.fold(s.location ->> 'city')
            and fieldcrm.fold(coalesce(x.postal_code, '')) = fieldcrm.fold(coalesce(s.location ->> 'postal_code', '')))))
    ), '[]') as locations,
    -- No row is the same as a row that says false four times.
    coalesce((
      select jsonb_object_agg(s.key, s.value) from jsonb_each(g.preferences) as s
      where s.value is distinct from coalesce((
        select to_jsonb(p) -> s.key from public.crm_preferences p where p.org_id = c.org_id and p.customer_id = c.id), 'false')
    ), '{}') as preferences,
    coalesce((
      select jsonb_agg(s.name) from jsonb_array_elements_text(g.tags) as s (name)
      where not exists (
        select from public.crm_customer_tags ct join public.crm_tags t on t.org_id = ct.org_id and t.id = ct.tag_id
        where ct.org_id = c.org_id and ct.customer_id = c.id and t.name_key = lower(s.name))), '[]') as tags
  from given g join public.customers c on c.org_id = ($1 ->> 'org_id')::uuid and c.id = g.id
)
select coalesce(jsonb_agg(to_jsonb(m)), '[]') from missing m
where m.set <> '{}' or m.contacts <> '[]' or m.locations <> '[]' or m.preferences <> '{}' or m.tags <> '[]'
