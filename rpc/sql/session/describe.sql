-- In: {org_id, profile_id}. Out: {org, profile}, null where there is none.
select jsonb_build_object(
  'org', (
    select jsonb_build_object('id', o.id, 'name', o.name, 'time_zone', o.time_zone,
      'default_country', o.default_country, 'settings', o.settings, 'created_at', o.created_at)
    from public.orgs o where o.id = ($1 ->> 'org_id')::uuid),
  'profile', (
    select jsonb_build_object('id', p.id, 'email', p.email, 'full_name', p.full_name,
      'phone', p.phone, 'avatar_url', p.avatar_url, 'status', p.status)
    from public.profiles p
    where p.id = ($1 ->> 'profile_id')::uuid and p.org_id = ($1 ->> 'org_id')::uuid))
