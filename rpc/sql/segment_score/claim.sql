-- In: {org_id, job_id, batch_limit}. Out: {lease_id, job, customer_ids, dead: how many were given up, waiting: how many have no score
-- yet}; null where the job is finished. The segment is locked, so that nobody else works at the job. A claim that is not heard of in two minutes
-- is lost. Runs as owner, for jobs.
with due as materialized (
  select q.ctid as place, q.customer_id, q.attempts
  from fieldcrm.ai_job_customers q
  where q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid
    and q.score is null and q.failed_at is null and q.due_at <= now()
    and exists (
      select from public.ai_jobs j
      where j.org_id = ($1 ->> 'org_id')::uuid and j.id = ($1 ->> 'job_id')::uuid and j.status in ('queued', 'running')
        and j.available_at <= now())
  order by q.due_at, q.customer_id
  limit ($1 ->> 'batch_limit')::bigint
  -- Who is being deleted waits for nobody here.
  for update of q skip locked
), lease as materialized (
  select gen_random_uuid() as id
), taken as (
  -- By their places: of a table that a job has just filled, the planner knows nothing, and would loop over it.
  update fieldcrm.ai_job_customers q
  set attempts = least(q.attempts + 1, 5),
    lease_id = case when q.attempts < 5 then l.id end,
    due_at = now() + interval '2 minutes',
    failed_at = case when q.attempts >= 5 then now() end,
    reason = case when q.attempts >= 5 then coalesce(q.reason, 'was claimed five times, and no result came') else q.reason end
  from lease l
  where q.ctid = any (array(select d.place from due d))
  returning q.customer_id, q.failed_at
), counted as materialized (
  select count(*) filter (where t.failed_at is not null) as dead,
    coalesce(jsonb_agg(t.customer_id order by t.customer_id) filter (where t.failed_at is null), '[]') as customer_ids
  from taken t
), job as (
  update public.ai_jobs j
  set status = 'running', started_at = coalesce(j.started_at, now()), failed = j.failed + c.dead
  from counted c
  where j.org_id = ($1 ->> 'org_id')::uuid and j.id = ($1 ->> 'job_id')::uuid and j.status in ('queued', 'running')
  returning j.*
)
select jsonb_build_object('lease_id', l.id, 'job', to_jsonb(j), 'customer_ids', c.customer_ids, 'dead', c.dead,
  'waiting', (select count(*) from fieldcrm.ai_job_customers q
    where q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid and q.score is null and q.failed_at is null) - c.dead)
from job j, lease l, counted c
