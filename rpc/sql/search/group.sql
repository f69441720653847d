), members as materialized (
  -- With both, the tag leads and page.sql looks up the segment.
  select x.customer_id from public.crm_customer_tags x
  where x.org_id = ($1 ->> 'org_id')::uuid and x.tag_id = (select t.id from tag t)
  union all
  select x.customer_id from public.crm_segment_members x
  where x.org_id = ($1 ->> 'org_id')::uuid and x.segment_id = (select i.segment_id from input i)
    and (select i.tag from input i) is null
), candidates as (
  select s.customer_id, s.created_at
  from members m join fieldcrm.customer_search s on s.customer_id = m.customer_id
  where s.org_id = ($1 ->> 'org_id')::uuid
    and s.search_text like all ((select i.patterns from input i)::text[])
    and (s.created_at, s.customer_id) < ((select i.at from input i), (select i.id from input i))
  order by s.created_at desc, s.customer_id desc
  limit (select i.depth from input i)
