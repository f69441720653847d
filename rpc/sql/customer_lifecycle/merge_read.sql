-- In: {org_id, id, duplicate_id}, both locked. Out: {contacts: [{kept, dropped}] which both have, primary: the contact of the
-- survivor that is the duplicate's primary one, preferences: {survivor, duplicate}}. Consent is locked against those who
-- withdraw it meanwhile.
with contacts as materialized (
  select x.* from public.customer_contacts x
  where x.org_id = ($1 ->> 'org_id')::uuid and x.customer_id in (($1 ->> 'id')::uuid, ($1 ->> 'duplicate_id')::uuid)
  order by x.id
  for update
), pairs as materialized (
  select k.id, to_jsonb(k) as kept, to_jsonb(d) as dropped, d.is_primary
  from contacts k join contacts d on d.type = k.type and d.value = k.value
  where k.customer_id = ($1 ->> 'id')::uuid and d.customer_id = ($1 ->> 'duplicate_id')::uuid
), preferences as materialized (
  select p.* from public.crm_preferences p
  where p.org_id = ($1 ->> 'org_id')::uuid and p.customer_id in (($1 ->> 'id')::uuid, ($1 ->> 'duplicate_id')::uuid)
  order by p.id
  for update
)
select jsonb_build_object(
  'contacts', coalesce((select jsonb_agg(jsonb_build_object('kept', p.kept, 'dropped', p.dropped)) from pairs p), '[]'),
  'primary', (select p.id from pairs p where p.is_primary),
  'preferences', jsonb_build_object(
    'survivor', (select to_jsonb(p) from preferences p where p.customer_id = ($1 ->> 'id')::uuid),
    'duplicate', (select to_jsonb(p) from preferences p where p.customer_id = ($1 ->> 'duplicate_id')::uuid)))
