-- In: {org_id, names: [name or id]}. Out: [{wanted, id, name, type}], without those that do not exist.
select coalesce(jsonb_agg(jsonb_build_object('wanted', x.wanted, 'id', s.id, 'name', s.name, 'type', s.type)), '[]')
from (select distinct wanted from jsonb_array_elements_text($1 -> 'names') wanted) x
join public.crm_segments s on s.org_id = ($1 ->> 'org_id')::uuid and (s.id::text = lower(x.wanted) or s.name = x.wanted)
