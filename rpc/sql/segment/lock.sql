-- In: {org_id, segment_id}. Out: the segment, null where there is none.
-- Who computes, edits or adds members takes turns; the statements after it see what the one before did.
select to_jsonb(s) from public.crm_segments s
where s.org_id = ($1 ->> 'org_id')::uuid and s.id = ($1 ->> 'segment_id')::uuid
for no key update
