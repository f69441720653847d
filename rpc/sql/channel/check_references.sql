-- In: {org_id, client_id or null, project_id or null}. Out: {client, project: whether it is there, client_id: the project's, or what was
-- given}.
select jsonb_build_object(
  'client', $1 ->> 'client_id' is null or exists (select from public.clients c
    where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'client_id')::uuid),
  'project', $1 ->> 'project_id' is null or p.id is not null,
  'client_id', coalesce(p.client_id, ($1 ->> 'client_id')::uuid))
from (select) x
left join public.projects p on p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'project_id')::uuid
  and ($1 ->> 'client_id' is null or p.client_id = ($1 ->> 'client_id')::uuid)
