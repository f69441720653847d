-- In: {org_id, segment_id}. Out: nothing. A segment that cannot be computed does not come back at once.
update public.crm_segments s set recompute_at = now() + interval '1 hour'
where s.org_id = ($1 ->> 'org_id')::uuid and s.id = ($1 ->> 'segment_id')::uuid
