-- In: {org_id, project_id, strategy, count: of leads to hand out}. Out: [user_id, …], one a lead in their order; none where the
-- team is empty. Whoever had none for longest comes first; with least_loaded whoever has the fewest open ones. What is given
-- here counts at once. The values walk the index: the last one of each status, not all leads of a member.
with team as materialized (
  select m.user_id, m.created_at,
    (select max(l.assigned_at)
      from (values ('new'), ('contacted'), ('qualified'), ('proposal'), ('converted'), ('lost')) as s (status)
      cross join lateral (
        select x.assigned_at from public.leads x
        where x.org_id = m.org_id and x.project_id = m.project_id and x.assigned_to = m.user_id and x.status = s.status
        order by x.assigned_at desc nulls last limit 1) l) as last_at,
    case when $1 ->> 'strategy' = 'least_loaded' then (
      select count(*) from public.leads x
      where x.org_id = m.org_id and x.project_id = m.project_id and x.assigned_to = m.user_id
        and x.status in ('new', 'contacted', 'qualified', 'proposal')) else 0 end as load
  from public.project_members m
  join public.profiles p on p.org_id = m.org_id and p.id = m.user_id
  where m.org_id = ($1 ->> 'org_id')::uuid and m.project_id = ($1 ->> 'project_id')::uuid and m.role in ('manager', 'member')
    and p.status = 'active' and p.role not in ('portal_customer', 'portal_manager')
), turns as (
  select t.user_id, row_number() over (order by t.load + n, t.last_at nulls first, t.created_at, t.user_id) as turn
  from team t cross join generate_series(1, ($1 ->> 'count')::integer) n
)
select coalesce(jsonb_agg(t.user_id order by t.turn), '[]') from turns t where t.turn <= ($1 ->> 'count')::bigint
