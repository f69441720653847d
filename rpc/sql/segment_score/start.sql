-- In: the parameter of a compiled segment with segment_id, segment_version, threshold, only_matching, archived, user_id.
-- Out: the job; null where the segment has an unfinished one. Runs as owner.
with chosen as materialized (
  select c.id
  from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id in ({matching}) and (($1 ->> 'archived')::boolean or not c.is_archived)
    and c.erased_at is null and c.merged_into_id is null
  for key share of c
), job as (
  insert into public.ai_jobs (org_id, kind, segment_id, segment_version, threshold, only_matching, total, created_by_user_id)
  select ($1 ->> 'org_id')::uuid, 'segment_score', ($1 ->> 'segment_id')::uuid, ($1 ->> 'segment_version')::bigint,
    ($1 ->> 'threshold')::integer, ($1 ->> 'only_matching')::boolean, (select count(*) from chosen), ($1 ->> 'user_id')::uuid
  on conflict (org_id, segment_id) where status in ('queued', 'running') do nothing
  returning *
), candidates as (
  insert into fieldcrm.ai_job_customers (org_id, job_id, customer_id)
  select j.org_id, j.id, c.id from job j, chosen c order by c.id
)
select to_jsonb(j) from job j
