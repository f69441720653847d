-- In: {org_id, job_id, batch_limit}. Out: {lease_id, job, customer_ids, dead: how many were given up, waiting: how many have no score
-- yet}; null where the job is finished. The segment is locked, so that nobody else works at the job. A claim that is not heard of in two minutes
-- is lost. Runs as owner, for jobs.
with due as materialized (
  select q.customer_id, q.attempts
  from fieldcrm.ai_job_customers q
  join public.ai_jobs j on j.org_id = q.org_id and j.id = q.job_id
  where q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid
    and q.score is null and q.failed_at is null and q.due_at <= now() and j.status in ('queued', 'running')
  order by q.due_at, q.customer_id
  limit ($1 ->> 'batch_limit')::bigint
  -- Who is being deleted waits for nobody here.
  for update of q skip locked
), dead as (
  update fieldcrm.ai_job_customers q
  set failed_at = now(), lease_id = null, reason = coalesce(q.reason, 'was claimed five times, and no result came')
  from due d
  where d.attempts >= 5 and q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid and q.customer_id = d.customer_id
  returning 1
), lease as materialized (
  select gen_random_uuid() as id
), leased as (
  update fieldcrm.ai_job_customers q
  set attempts = q.attempts + 1, lease_id = l.id, due_at = now() + interval '2 minutes'
  from due d, lease l
  where d.attempts < 5 and q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid and q.customer_id = d.customer_id
  returning q.customer_id
), job as (
  update public.ai_jobs j
  set status = 'running', started_at = coalesce(j.started_at, now()), failed = j.failed + (select count(*) from dead)
  where j.org_id = ($1 ->> 'org_id')::uuid and j.id = ($1 ->> 'job_id')::uuid and j.status in ('queued', 'running')
  returning j.*
)
select jsonb_build_object('lease_id', l.id, 'job', to_jsonb(j),
  'customer_ids', (select coalesce(jsonb_agg(x.customer_id order by x.customer_id), '[]') from leased x),
  'dead', (select count(*) from dead),
  'waiting', (select count(*) from fieldcrm.ai_job_customers q
    where q.org_id = j.org_id and q.job_id = j.id and q.score is null and q.failed_at is null) - (select count(*) from dead))
from job j, lease l
