-- In: {org_id, segment_id}. Out: nothing. From now on its rules say again who is a member, and no score.
with scored as (
  update public.crm_segment_members m set score = null, metadata = null
  where m.org_id = ($1 ->> 'org_id')::uuid and m.segment_id = ($1 ->> 'segment_id')::uuid and m.metadata ? 'job_id'
)
update public.crm_segments s set scored_at = null
where s.org_id = ($1 ->> 'org_id')::uuid and s.id = ($1 ->> 'segment_id')::uuid
returning to_jsonb(true)
