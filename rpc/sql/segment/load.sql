-- In: {org_id, segment_id}. Out: the segment, null where there is none.
select to_jsonb(s) from public.crm_segments s
where s.org_id = ($1 ->> 'org_id')::uuid and s.id = ($1 ->> 'segment_id')::uuid
