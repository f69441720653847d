-- In: {org_id, names: [name]}. Out: [name], those of no tag.
select coalesce(jsonb_agg(x.wanted), '[]')
from (select distinct wanted from jsonb_array_elements_text($1 -> 'names') wanted) x
where not exists (
  select from public.crm_tags t where t.org_id = ($1 ->> 'org_id')::uuid and t.name_key = lower(x.wanted))
