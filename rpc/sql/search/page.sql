), page as (
  select * from chosen c order by c.created_at desc, c.id desc limit (select i.wanted from input i)
)
select coalesce(jsonb_agg(to_jsonb(p) order by p.created_at desc, p.id desc), '[]') from page p
