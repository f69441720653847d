-- In: {org_id, id, user_id, customer_id, scope}. Out: {profile, security, locations, contacts, notifications}.
select jsonb_build_object(
  'profile', (
    select jsonb_build_object('full_name', p.full_name, 'email', lower(u.email), 'phone', p.phone, 'avatar_url', p.avatar_url,
      'preferred_language', c.preferred_language)
    from public.profiles p
    join auth.users u on u.id = p.id
    join public.customers c on c.org_id = p.org_id and c.id = ($1 ->> 'customer_id')::uuid
    where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'user_id')::uuid),
  'security', (
    select jsonb_build_object('has_password', coalesce(u.encrypted_password, '') <> '')
    from auth.users u where u.id = ($1 ->> 'user_id')::uuid),
  'locations', (
    select coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'customer_id', l.customer_id, 'label', l.label, 'type', l.type,
      'address_line1', l.address_line1, 'address_line2', l.address_line2, 'city', l.city, 'state', l.state,
      'postal_code', l.postal_code, 'country', l.country, 'is_primary', l.is_primary) order by l.customer_id, l.created_at, l.id), '[]')
    from public.customer_locations l
    where l.org_id = ($1 ->> 'org_id')::uuid and exists (
      select from jsonb_to_recordset($1 -> 'scope') as s (customer_id uuid, location_id uuid)
      where s.customer_id = l.customer_id and (s.location_id is null or s.location_id = l.id))),
  'contacts', (
    select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'type', k.type, 'value', k.value, 'is_primary', k.is_primary,
      'is_verified', k.is_verified, 'opt_in_marketing', k.opt_in_marketing, 'opt_in_transactional', k.opt_in_transactional)
      order by k.created_at, k.id), '[]')
    from public.customer_contacts k
    where k.org_id = ($1 ->> 'org_id')::uuid and k.customer_id = ($1 ->> 'customer_id')::uuid),
  'notifications', (
    select to_jsonb(n) - '{id,org_id,portal_account_id,created_at,updated_at}'::text[]
    from public.portal_notification_preferences n
    where n.org_id = ($1 ->> 'org_id')::uuid and n.portal_account_id = ($1 ->> 'id')::uuid))
