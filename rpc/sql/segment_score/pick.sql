-- In: {org_id or null for all}. Out: {org_id, id, segment_id, segment_version} of an unfinished job with something to do, null where there is none.
-- Any of them: a big job holds up no small one. Runs as owner, for jobs.
select jsonb_build_object('org_id', j.org_id, 'id', j.id, 'segment_id', j.segment_id, 'segment_version', j.segment_version)
from public.ai_jobs j
where j.status in ('queued', 'running') and ($1 ->> 'org_id' is null or j.org_id = ($1 ->> 'org_id')::uuid)
  and (j.available_at <= now() and exists (
      select from fieldcrm.ai_job_customers q
      where q.org_id = j.org_id and q.job_id = j.id and q.score is null and q.failed_at is null and q.due_at <= now())
    or not exists (
      select from fieldcrm.ai_job_customers q
      where q.org_id = j.org_id and q.job_id = j.id and q.score is null and q.failed_at is null))
order by random() limit 1
