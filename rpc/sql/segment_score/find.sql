-- In: {org_id or null for all, job_id}. Out: the job, null where there is none.
select to_jsonb(j) from public.ai_jobs j
where j.id = ($1 ->> 'job_id')::uuid and ($1 ->> 'org_id' is null or j.org_id = ($1 ->> 'org_id')::uuid)
