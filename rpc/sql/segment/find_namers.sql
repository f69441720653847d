-- In: {org_id, segment_id, name}. Out: [name], the segments whose rules call this one by that name.
select coalesce(jsonb_agg(s.name order by s.name), '[]') from public.crm_segments s
where s.org_id = ($1 ->> 'org_id')::uuid and s.depends_on @> array[($1 ->> 'segment_id')::uuid]
  and (strpos(s.definition::text, ($1 -> 'name')::text) > 0 or strpos(s.definition::text, $1 ->> 'name') > 0)
