), scanned as (
  select s.customer_id, s.created_at, s.search_text
  from fieldcrm.customer_search s
  where s.org_id = ($1 ->> 'org_id')::uuid
    and (s.created_at, s.customer_id) < ((select i.at from input i), (select i.id from input i))
  order by s.created_at desc, s.customer_id desc
  limit (select i.depth from input i)
), candidates as (
  select s.customer_id, s.created_at from scanned s
  where s.search_text like all ((select i.patterns from input i)::text[])
