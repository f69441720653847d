-- In: {org_id, project_id, date_range or null for all time}. Out: {rate}: converted leads of those that came in on the days of the
-- range, in the org's time zone; null if the caller does not see the project.
select jsonb_build_object('rate', (
  select case when count(*) = 0 then 0 else round(count(*) filter (where l.status = 'converted')::numeric / count(*), 4) end
  from public.leads l
  where l.org_id = p.org_id and l.project_id = p.id
    and (r.days is null or not isempty(r.days))
    and (r.days is null or lower(r.days) is null or l.created_at >= (lower(r.days)::timestamp at time zone o.time_zone))
    and (r.days is null or upper(r.days) is null or l.created_at < (upper(r.days)::timestamp at time zone o.time_zone))))
from public.projects p
join public.orgs o on o.id = p.org_id
cross join (select ($1 ->> 'date_range')::daterange as days) r
where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'project_id')::uuid
