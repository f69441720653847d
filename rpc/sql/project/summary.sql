-- In: {org_id, project_id}. Out: {project, leads: {total, by_status, assigned, last_at}, conversion_rate, sources, team,
-- conversations}; null if the caller does not see the project.
with leads as materialized (
  select l.status, coalesce(l.source, 'unknown') as source, count(*) as leads, count(l.assigned_to) as assigned,
    max(l.created_at) as last_at
  from public.leads l
  where l.org_id = ($1 ->> 'org_id')::uuid and l.project_id = ($1 ->> 'project_id')::uuid
  group by 1, 2
)
select jsonb_build_object(
  'project', jsonb_build_object('id', p.id, 'client_id', p.client_id, 'name', p.name, 'status', p.status),
  'leads', (select jsonb_build_object('total', coalesce(sum(l.leads), 0), 'assigned', coalesce(sum(l.assigned), 0), 'last_at', max(l.last_at),
    'by_status', (select jsonb_object_agg(s.status, coalesce((select sum(x.leads) from leads x where x.status = s.status), 0))
      from (values ('new'), ('contacted'), ('qualified'), ('proposal'), ('converted'), ('lost')) as s (status))) from leads l),
  'conversion_rate', (select case when coalesce(sum(l.leads), 0) = 0 then 0
    else round(coalesce(sum(l.leads) filter (where l.status = 'converted'), 0) / sum(l.leads), 4) end from leads l),
  'sources', coalesce((select jsonb_object_agg(s.source, s.leads) from (
    select l.source, sum(l.leads) as leads from leads l group by 1) s), '{}'),
  'team', (select count(*) from public.project_members m where m.org_id = p.org_id and m.project_id = p.id),
  'conversations', (select count(*) from public.conversations c join public.leads l on l.org_id = c.org_id and l.id = c.lead_id
    where c.org_id = p.org_id and c.client_id = p.client_id and l.project_id = p.id and c.status <> 'closed'))
from public.projects p
where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'project_id')::uuid
