-- In: {org_id, customer_id, lifecycle_stage, pipeline_stage}. Out: {}. A customer that a lead turned out to be goes on, never back.
update public.customers c
set status = case c.status when 'prospect' then 'active' else c.status end,
  lifecycle_stage = case when c.lifecycle_stage in ('lead', 'opportunity') then ($1 ->> 'lifecycle_stage')::public.lifecycle_stage
    else c.lifecycle_stage end,
  pipeline_stage = case when c.pipeline_stage in ('closed_won', 'closed_lost') then c.pipeline_stage else $1 ->> 'pipeline_stage' end
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'customer_id')::uuid
  and (c.status = 'prospect' or c.lifecycle_stage in ('lead', 'opportunity') or c.pipeline_stage not in ('closed_won', 'closed_lost'))
returning '{}'::jsonb
