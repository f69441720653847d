-- In: {org_id, id}. Out: {id, used_at, revoked_at}, or null where the org has no such invitation. One that was used stays used.
with invite as materialized (
  select i.id, i.org_id, i.used_at, i.revoked_at from public.portal_invites i
  where i.org_id = ($1 ->> 'org_id')::uuid and i.id = ($1 ->> 'id')::uuid
  for update
), revoked as (
  update public.portal_invites i set revoked_at = now()
  from invite v where i.org_id = v.org_id and i.id = v.id and v.used_at is null and v.revoked_at is null
  returning i.revoked_at
)
select jsonb_build_object('id', v.id, 'used_at', v.used_at, 'revoked_at', coalesce(v.revoked_at, (select r.revoked_at from revoked r)))
from invite v
