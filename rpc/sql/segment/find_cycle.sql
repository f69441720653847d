-- In: {org_id, segment_id, depends_on: [id]}. Out: the names along the cycle that this would close, null if none.
with recursive dependency as (
  select s.id, s.depends_on, array[s.name] as names, array[s.id] as ids
  from public.crm_segments s
  where s.org_id = ($1 ->> 'org_id')::uuid
    and s.id in (select x::uuid from jsonb_array_elements_text($1 -> 'depends_on') x)
  union all
  select s.id, s.depends_on, d.names || s.name, d.ids || s.id
  from dependency d
  join public.crm_segments s on s.org_id = ($1 ->> 'org_id')::uuid and s.id = any (d.depends_on)
  -- What is on the path already is a cycle, which ends it.
  where s.id <> all (d.ids) and d.id <> ($1 ->> 'segment_id')::uuid
)
select to_jsonb(d.names) from dependency d
where d.id = ($1 ->> 'segment_id')::uuid
order by cardinality(d.names) limit 1
