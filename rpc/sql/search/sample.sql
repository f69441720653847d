-- In: as input.sql. Out: how many of the newest customers, as many as depth says, have the text of all terms.
select to_jsonb(count(*) filter (where s.search_text like all (t.patterns)))
from (
  select coalesce(array_agg('%' || replace(replace(replace(fieldcrm.fold(g.term), '\', '\\'), '%', '\%'), '_', '\_') || '%'), '{}') as patterns
  from jsonb_array_elements_text($1 -> 'terms') as g (term)) t, (
  select x.search_text from fieldcrm.customer_search x
  where x.org_id = ($1 ->> 'org_id')::uuid
    and (x.created_at, x.customer_id) < (coalesce(($1 ->> 'at')::timestamptz, 'infinity'),
      coalesce(($1 ->> 'id')::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
  order by x.created_at desc, x.customer_id desc
  limit ($1 ->> 'depth')::bigint) s
