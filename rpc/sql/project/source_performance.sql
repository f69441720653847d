-- In: {org_id, project_id}. Out: [{source, count, rate}], the most leads first; null if the caller does not see the project.
select coalesce((
  select jsonb_agg(jsonb_build_object('source', s.source, 'count', s.leads, 'rate', round(s.converted::numeric / s.leads, 4))
    order by s.leads desc, s.source)
  from (
    select coalesce(l.source, 'unknown') as source, count(*) as leads, count(*) filter (where l.status = 'converted') as converted
    from public.leads l
    where l.org_id = p.org_id and l.project_id = p.id
    group by 1
  ) s), '[]')
from public.projects p
where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'project_id')::uuid
