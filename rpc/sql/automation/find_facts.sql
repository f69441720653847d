-- In: {templates: [{org_id, id}], segments: [{org_id, id}], customers: [{org_id, id}]}. Out: {facts: {customer id:
-- {customer, org, user}}, templates: {id: {channel, subject, body, variables}}, segments: {id: type}, now}: what the
-- actions of a batch need to know.
with customer as materialized (
  select g.org_id, g.id from jsonb_to_recordset($1 -> 'customers') as g (org_id uuid, id uuid)
)
select jsonb_build_object('now', now(),
  'facts', coalesce((
    select jsonb_object_agg(c.id, jsonb_build_object(
      'customer', jsonb_build_object('id', c.id, 'name', c.name, 'first_name', c.first_name, 'last_name', c.last_name,
        'company_name', c.company_name, 'email', c.email, 'phone', c.phone, 'type', c.type, 'status', c.status,
        'preferred_language', c.preferred_language, 'city', l.city),
      'org', jsonb_build_object('name', o.name, 'time_zone', o.time_zone, 'currency', o.currency),
      'user', jsonb_build_object()))
    from customer g
    join public.customers c on c.org_id = g.org_id and c.id = g.id
    join public.orgs o on o.id = c.org_id
    left join public.customer_locations l on l.org_id = c.org_id and l.customer_id = c.id and l.id = c.primary_location_id), '{}'),
  'templates', coalesce((
    select jsonb_object_agg(t.id, jsonb_build_object('channel', t.channel, 'subject', t.subject, 'body', t.body, 'variables', t.variables))
    from jsonb_to_recordset($1 -> 'templates') as g (org_id uuid, id uuid)
    join public.crm_message_templates t on t.org_id = g.org_id and t.id = g.id), '{}'),
  'segments', coalesce((
    select jsonb_object_agg(s.id, s.type)
    from jsonb_to_recordset($1 -> 'segments') as g (org_id uuid, id uuid)
    join public.crm_segments s on s.org_id = g.org_id and s.id = g.id), '{}'))
