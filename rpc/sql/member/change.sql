-- In: {org_id, user_id, role, status or null}. Out: the profile, or null if no owner would be left.
-- Runs as owner, after member/lock.sql.
update public.profiles p
set role = $1 ->> 'role', status = coalesce($1 ->> 'status', p.status)
where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'user_id')::uuid
  and (p.role <> 'owner' or p.status <> 'active'
    or ($1 ->> 'role' = 'owner' and coalesce($1 ->> 'status', p.status) = 'active')
    or exists (select from public.profiles o where o.org_id = p.org_id and o.id <> p.id
      and o.role = 'owner' and o.status = 'active'))
returning jsonb_build_object('id', p.id, 'email', p.email, 'full_name', p.full_name,
  'role', p.role, 'status', p.status)
