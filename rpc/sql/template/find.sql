-- In: {org_id, template_id, customer_id, profile_id or null}. Out: {template: {channel, subject, body, variables},
-- facts: {customer, org, user}}; null for a template or a customer that the caller does not see.
select jsonb_build_object(
  'template', (
    select jsonb_build_object('channel', t.channel, 'subject', t.subject, 'body', t.body, 'variables', t.variables)
    from public.crm_message_templates t
    where t.org_id = ($1 ->> 'org_id')::uuid and t.id = ($1 ->> 'template_id')::uuid),
  'facts', (
    select jsonb_build_object(
      'customer', jsonb_build_object('id', c.id, 'name', c.name, 'first_name', c.first_name, 'last_name', c.last_name,
        'company_name', c.company_name, 'email', c.email, 'phone', c.phone, 'type', c.type, 'status', c.status,
        'preferred_language', c.preferred_language, 'city', (
          select l.city from public.customer_locations l
          where l.org_id = c.org_id and l.customer_id = c.id and l.id = c.primary_location_id)),
      'org', coalesce((
        select jsonb_build_object('name', o.name, 'time_zone', o.time_zone, 'currency', o.currency)
        from public.orgs o where o.id = c.org_id), '{}'),
      'user', coalesce((
        select jsonb_build_object('full_name', p.full_name, 'email', p.email, 'phone', p.phone)
        from public.profiles p where p.org_id = c.org_id and p.id = ($1 ->> 'profile_id')::uuid), '{}'))
    from public.customers c
    where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'customer_id')::uuid))
