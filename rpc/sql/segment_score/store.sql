-- In: {org_id, job_id, lease_id, provider, model, results: [{id, score, reason} or {id, error, unavailable}]}. Out: {stored, failed: tried again
-- later, dead: given up, waiting: how many have no score yet}; null where the job is finished. Only what the lease still has, once. Where the model is
-- unavailable, it is no customer's attempt: the job waits, for 2 minutes and twice as long each time, up to an hour.
-- The segment is locked, so that the counts are right. Runs as owner, for jobs.
with given as materialized (
  select g.* from jsonb_to_recordset($1 -> 'results') as g (id uuid, score integer, reason text, error text, unavailable boolean)
), held as materialized (
  select q.ctid as place
  from fieldcrm.ai_job_customers q
  where q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid
    and q.customer_id = any (array(select g.id from given g))
    and q.lease_id = ($1 ->> 'lease_id')::uuid and q.score is null and q.failed_at is null
    and exists (
      select from public.ai_jobs j
      where j.org_id = ($1 ->> 'org_id')::uuid and j.id = ($1 ->> 'job_id')::uuid and j.status = 'running')
  order by q.customer_id
  for update of q
), written as (
  -- By their places: of a table that a job has just filled, the planner knows nothing, and would loop over it.
  update fieldcrm.ai_job_customers q
  set score = g.score, reason = coalesce(g.reason, g.error), lease_id = null,
    provider = case when g.score is not null then $1 ->> 'provider' end,
    model = case when g.score is not null then $1 ->> 'model' end,
    attempts = q.attempts - case when g.unavailable then 1 else 0 end,
    failed_at = case when g.score is null and g.unavailable is not true and q.attempts >= 5 then now() end,
    -- Last in the row: whom the model never answers about is not to be asked about first.
    due_at = case when g.unavailable then now() when g.score is null then now() + interval '30 seconds' * power(4, q.attempts) else q.due_at end
  from given g
  where q.ctid = any (array(select h.place from held h)) and q.customer_id = g.id
  returning q.score, q.failed_at, g.unavailable
), counted as materialized (
  select count(w.score) as stored, count(*) filter (where w.score is null and w.failed_at is null) as failed,
    count(w.failed_at) as dead, coalesce(bool_or(w.unavailable), false) as unavailable
  from written w
), job as (
  update public.ai_jobs j
  set scored = j.scored + c.stored, failed = j.failed + c.dead,
    -- Questions that were asked at once meet one outage.
    outages = case when c.unavailable and j.available_at <= now() then j.outages + 1 when c.stored > 0 then 0 else j.outages end,
    available_at = case when c.unavailable and j.available_at <= now()
      then now() + interval '1 minute' * least(power(2, least(j.outages, 10) + 1), 60) else j.available_at end,
    -- Once a model has scored any, it is the model's.
    provider = case when c.stored > 0 and (j.model is null or $1 ->> 'model' is not null) then $1 ->> 'provider' else j.provider end,
    model = case when c.stored > 0 and $1 ->> 'model' is not null then $1 ->> 'model' else j.model end
  from counted c
  where j.org_id = ($1 ->> 'org_id')::uuid and j.id = ($1 ->> 'job_id')::uuid and j.status = 'running'
  returning j.id
)
select jsonb_build_object('stored', c.stored, 'failed', c.failed, 'dead', c.dead,
  'waiting', (select count(*) from fieldcrm.ai_job_customers q
    where q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid and q.score is null and q.failed_at is null)
    - c.stored - c.dead)
from job j, counted c
