revoke all on function fieldcrm.conversion_rate(text), fieldcrm.source_performance(text), fieldcrm.project_summary(text) from public;
grant execute on function fieldcrm.conversion_rate(text), fieldcrm.source_performance(text), fieldcrm.project_summary(text)
  to authenticated, service_role;

create or replace function public.calculate_conversion_rate(
  project_id uuid, date_range daterange default null
) returns numeric
language plpgsql stable set search_path = '' as $$
begin
  return (fieldcrm.unwrap(fieldcrm.conversion_rate(json_build_object('project_id', project_id, 'date_range', date_range)::text)) #>> '{}')::numeric;
end $$;
comment on function public.calculate_conversion_rate(uuid, daterange) is $$The part of a project's leads that converted, 0 to 1 with four digits; 0 where there are none.
date_range: the days on which the leads came in, in the org's time zone; null: all. For members of the client.
Errors: 404 not_found (the project).
Example: select calculate_conversion_rate(project_id => '…', date_range => '[2026-01-01,2026-02-01)');$$;

create or replace function public.get_source_performance(
  project_id uuid
) returns table (source text, count bigint, rate numeric)
language plpgsql stable set search_path = '' as $$
begin
  return query select r.source, r.count, r.rate from jsonb_to_recordset(fieldcrm.unwrap(fieldcrm.source_performance(json_build_object('project_id', project_id)::text)))
    as r (source text, count bigint, rate numeric);
end $$;
comment on function public.get_source_performance(uuid) is $$For each source of a project's leads how many came in, and which part of them converted (0 to 1); the most first. Leads without a
source are unknown. For members of the client. Errors: 404 not_found (the project).
Example: select * from get_source_performance(project_id => '…');$$;

create or replace function public.get_project_summary(project_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.project_summary(json_build_object('project_id', project_id)::text));
end $$;
comment on function public.get_project_summary(uuid) is $$Where a project stands: {project: {id, client_id, name, status}, leads: {total, assigned, last_at, by_status}, conversion_rate (0 to 1),
sources: {name: leads}, team: members, conversations: open ones}. For members of the client. Errors: 404 not_found (the project).
Example: select get_project_summary(project_id => '…') -> 'leads';$$;

revoke all on function public.calculate_conversion_rate(uuid, daterange), public.get_source_performance(uuid),
    public.get_project_summary(uuid)
  from public, anon, authenticated, service_role;
grant execute on function public.calculate_conversion_rate(uuid, daterange), public.get_source_performance(uuid),
    public.get_project_summary(uuid)
  to authenticated, service_role;
