), candidates as (
  -- In order before the customers are read: the page needs only the first of them. The limit keeps the planner from
  -- walking all customers in their order instead, which looks cheap to one that does not know the term.
  select s.customer_id, s.created_at
  from fieldcrm.customer_search s
  where s.org_id = ($1 ->> 'org_id')::uuid
    and s.search_text like (select i.longest from input i) and s.search_text like (select i.next from input i)
    and s.search_text like all ((select i.rest from input i)::text[])
    and (s.created_at, s.customer_id) < ((select i.at from input i), (select i.id from input i))
  order by s.created_at desc, s.customer_id desc
  limit (select i.depth from input i)
