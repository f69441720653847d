-- In: {org_id, project_id}. Out: {client_id, lead_assignment: the project's way, or null}; null if there is no such project.
select jsonb_build_object('client_id', p.client_id, 'lead_assignment', p.settings ->> 'lead_assignment')
from public.projects p
where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'project_id')::uuid
