-- In: {org_id}. Out: {service_types: [{code, name, description, duration_minutes}]}: what customers can book. Runs as owner.
select jsonb_build_object('service_types', coalesce(jsonb_agg(jsonb_build_object('code', s.code, 'name', s.name,
  'description', s.description, 'duration_minutes', s.duration_minutes) order by s.name, s.code), '[]'))
from public.service_types s
where s.org_id = ($1 ->> 'org_id')::uuid and s.is_bookable
