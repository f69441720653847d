-- In: {org_id, job_id, segment_id}. Out: {added, removed, total}. The members become those who have the score; of who was given up, nobody knows
-- better, and they stay what they were. Touches the difference only. The segment is locked. Runs as owner, for jobs.
with scored as materialized (
  -- Who is being deleted is waited for here, while nothing is held that the deletion waits for.
  select q.customer_id, q.score, jsonb_build_object('job_id', q.job_id, 'reason', q.reason, 'provider', q.provider)
    || case when q.model is null then '{}' else jsonb_build_object('model', q.model) end as metadata
  from fieldcrm.ai_job_customers q
  join public.ai_jobs j on j.org_id = q.org_id and j.id = q.job_id
  join public.customers c on c.org_id = q.org_id and c.id = q.customer_id
  where q.org_id = ($1 ->> 'org_id')::uuid and q.job_id = ($1 ->> 'job_id')::uuid and q.score >= j.threshold
  for key share of c
), gone as (
  delete from public.crm_segment_members m
  where m.org_id = ($1 ->> 'org_id')::uuid and m.segment_id = ($1 ->> 'segment_id')::uuid
    and not exists (select from scored s where s.customer_id = m.customer_id)
    and not exists (
      select from fieldcrm.ai_job_customers q
      where q.org_id = m.org_id and q.job_id = ($1 ->> 'job_id')::uuid and q.customer_id = m.customer_id and q.failed_at is not null)
  returning m.customer_id
), stay as (
  update public.crm_segment_members m set score = s.score, metadata = s.metadata
  from scored s
  where m.org_id = ($1 ->> 'org_id')::uuid and m.segment_id = ($1 ->> 'segment_id')::uuid and m.customer_id = s.customer_id
), come as (
  insert into public.crm_segment_members (org_id, segment_id, customer_id, score, metadata)
  select ($1 ->> 'org_id')::uuid, ($1 ->> 'segment_id')::uuid, s.customer_id, s.score, s.metadata
  from scored s
  where not exists (
    select from public.crm_segment_members m
    where m.org_id = ($1 ->> 'org_id')::uuid and m.segment_id = ($1 ->> 'segment_id')::uuid and m.customer_id = s.customer_id)
  on conflict (org_id, segment_id, customer_id) do nothing
  returning customer_id
), computed as (
  update public.crm_segments s set last_computed_at = now(), scored_at = now()
  where s.org_id = ($1 ->> 'org_id')::uuid and s.id = ($1 ->> 'segment_id')::uuid
)
select jsonb_build_object('added', (select count(*) from come), 'removed', (select count(*) from gone),
  'total', (select count(*) from scored))
