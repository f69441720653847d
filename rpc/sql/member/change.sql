-- In: {org_id, user_id, role, status or null}. Out: the profile, or null if no owner would be left.
-- Runs as owner, after member/lock.sql.
-- Open invitations that the member made go with the old rights: nobody comes back in by their own.
with before as materialized (
  select p.id, p.role from public.profiles p
  where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'user_id')::uuid
), changed as (
  update public.profiles p
  set role = $1 ->> 'role', status = coalesce($1 ->> 'status', p.status)
  where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'user_id')::uuid
    and (p.role <> 'owner' or p.status <> 'active'
      or ($1 ->> 'role' = 'owner' and coalesce($1 ->> 'status', p.status) = 'active')
      or exists (select from public.profiles o where o.org_id = p.org_id and o.id <> p.id
        and o.role = 'owner' and o.status = 'active'))
  returning p.id, p.role, p.status, p.email, p.full_name
), withdrawn as (
  delete from public.org_invites i using changed c, before b
  where i.org_id = ($1 ->> 'org_id')::uuid and i.created_by_user_id = c.id and i.accepted_at is null
    and (c.role <> b.role or c.status <> 'active')
)
select jsonb_build_object('id', c.id, 'email', c.email, 'full_name', c.full_name, 'role', c.role, 'status', c.status)
from changed c
