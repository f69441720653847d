-- In: {org_id, job_id, status, error_code}. Out: the job; null where it was finished before. Nothing waits any more.
with job as (
  update public.ai_jobs j
  set status = ($1 ->> 'status')::public.ai_job_status, error_code = $1 ->> 'error_code', finished_at = now()
  where j.org_id = ($1 ->> 'org_id')::uuid and j.id = ($1 ->> 'job_id')::uuid and j.status in ('queued', 'running')
  returning j.*
), gone as (
  delete from fieldcrm.ai_job_customers q using job j where q.org_id = j.org_id and q.job_id = j.id
)
select to_jsonb(j) from job j
