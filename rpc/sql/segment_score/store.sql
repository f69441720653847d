-- In: {org_id, job_id, lease_id, provider, model, results: [{id, score, reason} or {id, error}]}. Out: {stored, failed: tried again later,
-- dead: given up, waiting: how many have no score yet}; null where the job is finished. Only what the lease still has, once.
-- The segment is locked, so that the counts are right. Runs as owner, for jobs.
with given as materialized (
  select g.* from jsonb_to_recordset($1 -> 'results') as g (id uuid, score integer, reason text, error text)
), held as materialized (
  select q.customer_id, q.attempts, g.score, g.reason, g.error
  from given g
  join fieldcrm.ai_job_customers q on q.customer_id = g.id
  join public.ai_jobs j on j.org_id = q.org_id and j.id = q.job_id
  where q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid and j.status = 'running'
    and q.lease_id = ($1 ->> 'lease_id')::uuid and q.score is null and q.failed_at is null
  order by q.customer_id
  for update of q
), stored as (
  update fieldcrm.ai_job_customers q
  set score = h.score, reason = h.reason, provider = $1 ->> 'provider', model = $1 ->> 'model', lease_id = null
  from held h
  where h.score is not null and q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid and q.customer_id = h.customer_id
  returning 1
), failed as (
  update fieldcrm.ai_job_customers q
  set lease_id = null, reason = h.error, failed_at = case when h.attempts >= 5 then now() end,
    due_at = now() + interval '30 seconds' * power(4, h.attempts)
  from held h
  where h.score is null and q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid and q.customer_id = h.customer_id
  returning q.failed_at
), counted as materialized (
  select (select count(*) from stored) as stored, count(*) filter (where f.failed_at is null) as failed,
    count(*) filter (where f.failed_at is not null) as dead
  from failed f
), job as (
  update public.ai_jobs j
  set scored = j.scored + c.stored, failed = j.failed + c.dead,
    -- Once a model has scored any, it is the model's.
    provider = case when c.stored > 0 and (j.model is null or $1 ->> 'model' is not null) then $1 ->> 'provider' else j.provider end,
    model = case when c.stored > 0 and $1 ->> 'model' is not null then $1 ->> 'model' else j.model end
  from counted c
  where j.org_id = ($1 ->> 'org_id')::uuid and j.id = ($1 ->> 'job_id')::uuid and j.status = 'running'
  returning j.org_id, j.id
)
select jsonb_build_object('stored', c.stored, 'failed', c.failed, 'dead', c.dead,
  'waiting', (select count(*) from fieldcrm.ai_job_customers q
    where q.org_id = j.org_id and q.job_id = j.id and q.score is null and q.failed_at is null) - c.stored - c.dead)
from job j, counted c
