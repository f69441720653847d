-- In: {org_id, terms, at, id (of the cursor, or null), limit, depth or null, archived or null, and the filters}. What is
-- not asked for is null. A statement of search is this file, a source of candidates from new to old (newest.sql, text.sql,
-- group.sql, column.sql), chosen.sql, and page.sql (out: the customers of a page) or count.sql (out: a number).
-- Terms are folded as the text was, and then made literal: folding makes a % of the wide one.
with input as materialized (
  select coalesce(($1 ->> 'at')::timestamptz, 'infinity') as at,
    coalesce(($1 ->> 'id')::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff') as id,
    t.patterns, t.patterns[1] as longest, coalesce(t.patterns[2], '%') as next, t.patterns[3:] as rest,
    ($1 ->> 'depth')::bigint as depth, ($1 ->> 'limit')::bigint as wanted, ($1 ->> 'archived')::boolean as archived,
    ($1 ->> 'status')::public.customer_status as status, ($1 ->> 'lifecycle_stage')::public.lifecycle_stage as lifecycle_stage,
    $1 ->> 'pipeline_stage' as pipeline_stage, ($1 ->> 'owner_id')::uuid as owner_id, ($1 ->> 'product_id')::uuid as product_id,
    ($1 ->> 'segment_id')::uuid as segment_id, lower($1 ->> 'tag') as tag
  from (
    select coalesce(array_agg('%' || replace(replace(replace(f.term, '\', '\\'), '%', '\%'), '_', '\_') || '%'
      order by length(f.term) desc, f.term), '{}') as patterns
    from (select fieldcrm.fold(g.term) as term from jsonb_array_elements_text($1 -> 'terms') as g (term)) f) t
), tag as materialized (
  select t.id from public.crm_tags t where t.org_id = ($1 ->> 'org_id')::uuid and t.name_key = (select i.tag from input i)
