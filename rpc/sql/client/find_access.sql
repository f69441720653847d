-- In: {org_id, user_id, client_id, project_id, lead_id: one of the three, the others null}. Out: {role: of the user's active
-- profile, client_role: or null}; null if the org has no such client, project or lead.
select jsonb_build_object('role', p.role, 'client_role', m.role)
from (
  select c.id from public.clients c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'client_id')::uuid
  union all
  select c.client_id from public.projects c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'project_id')::uuid
  union all
  select c.client_id from public.leads c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'lead_id')::uuid
) client
left join public.profiles p
  on p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'user_id')::uuid and p.status = 'active'
left join public.client_members m on m.org_id = p.org_id and m.client_id = client.id and m.user_id = p.id
