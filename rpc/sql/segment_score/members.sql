-- In: {org_id, job_id, segment_id, archived: whether the rules ask for archived ones}. Out: nothing. The members become those who have the score; of who was given up nobody knows better, and
-- they stay what they were. Touches the difference only. The segment is locked. Runs as owner, for jobs.
-- Rows are looked up one by one, by whole keys: of a table that a job has just filled, the planner knows nothing, and would loop over it.
with job as materialized (
  select j.threshold from public.ai_jobs j where j.org_id = ($1 ->> 'org_id')::uuid and j.id = ($1 ->> 'job_id')::uuid
), scored as materialized (
  -- Who is being deleted is waited for here, while nothing is held that the deletion waits for.
  select q.customer_id, q.score, jsonb_build_object('job_id', q.job_id, 'reason', q.reason, 'provider', q.provider)
    || case when q.model is null then '{}' else jsonb_build_object('model', q.model) end as metadata
  from fieldcrm.ai_job_customers q
  join public.customers c on c.org_id = q.org_id and c.id = q.customer_id
  where q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid and q.score >= (select j.threshold from job j)
    and c.erased_at is null and c.merged_into_id is null and (($1 ->> 'archived')::boolean or not c.is_archived)
  for key share of c
), gone as (
  delete from public.crm_segment_members m
  where m.org_id = ($1 ->> 'org_id')::uuid and m.segment_id = ($1 ->> 'segment_id')::uuid
    and ((
      select q.score >= (select j.threshold from job j) or q.failed_at is not null from fieldcrm.ai_job_customers q
      where q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid and q.customer_id = m.customer_id) is not true
      or not ($1 ->> 'archived')::boolean and (
        select c.is_archived from public.customers c where c.org_id = ($1 ->> 'org_id')::uuid and c.id = m.customer_id))
), come as (
  insert into public.crm_segment_members (org_id, segment_id, customer_id, score, metadata)
  select ($1 ->> 'org_id')::uuid, ($1 ->> 'segment_id')::uuid, s.customer_id, s.score, s.metadata
  from scored s
  on conflict (org_id, segment_id, customer_id) do update set score = excluded.score, metadata = excluded.metadata
)
update public.crm_segments s set last_computed_at = now(), scored_at = now()
where s.org_id = ($1 ->> 'org_id')::uuid and s.id = ($1 ->> 'segment_id')::uuid
returning to_jsonb(true)
