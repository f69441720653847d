-- In: [{at, zone, org_zone, window, quiet, org_quiet: [seconds, seconds], marketing, count, hours, earlier}]. Out: code and
-- the moment (seconds since 1970, null if it is now), in their order. Tries every quarter of an hour and looks at
-- Postgres' own clocks: clocks are changed, and everything here begins and ends, at quarters of an hour.
with cases as (
  select c.n, (d ->> 'at')::timestamptz as at, d ->> 'zone' as zone, d ->> 'org_zone' as org_zone,
    (d ->> 'marketing')::boolean as marketing, (d ->> 'count')::integer as count, make_interval(hours => (d ->> 'hours')::integer) as span,
    array(select e::timestamptz from jsonb_array_elements_text(d -> 'earlier') e) as earlier,
    coalesce((d -> 'window' ->> 0)::integer, 0) % 86400 as w1, coalesce((d -> 'window' ->> 1)::integer, 0) % 86400 as w2,
    (d -> 'quiet' ->> 0)::integer % 86400 as q1, (d -> 'quiet' ->> 1)::integer % 86400 as q2,
    (d -> 'org_quiet' ->> 0)::integer % 86400 as o1, (d -> 'org_quiet' ->> 1)::integer % 86400 as o2
  from jsonb_array_elements($1::jsonb) with ordinality as c (d, n)
), tried as (
  -- Each moment twice: itself, and what a moment before it held it up.
  select c.n, t.t, t.t = c.at as is_now, f.capped, f.windowless, f.quiet
  from cases c
  cross join lateral (
    select c.at as t
    union all
    select g from generate_series(date_bin('15 minutes', c.at, 'epoch') + interval '15 minutes',
      c.at + interval '24 days', interval '15 minutes') g
  ) t
  cross join lateral (
    select
      c.marketing and (select count(*) from unnest(c.earlier) e where e <= t.t and e > t.t - c.span) >= c.count as capped,
      case when c.w1 < c.w2 then not (s.here >= c.w1 and s.here < c.w2)
        when c.w1 > c.w2 then s.here < c.w1 and s.here >= c.w2 else false end as windowless,
      coalesce(case when c.q1 < c.q2 then s.here >= c.q1 and s.here < c.q2
        when c.q1 > c.q2 then s.here >= c.q1 or s.here < c.q2 end, false)
      or (c.marketing and coalesce(case when c.o1 < c.o2 then s.there >= c.o1 and s.there < c.o2
        when c.o1 > c.o2 then s.there >= c.o1 or s.there < c.o2 end, false)) as quiet
    from (select extract(epoch from (t.t at time zone c.zone)::time) as here,
      extract(epoch from (t.t at time zone c.org_zone)::time) as there) s
  ) f
), told as (
  select t.*, lag(case when capped then 'frequency_cap' when windowless then 'outside_window' when quiet then 'quiet_hours' end)
    over (partition by n order by t) as held_up_by
  from tried t
), first as (
  select distinct on (n) n, t, is_now, held_up_by from told where not capped and not windowless and not quiet order by n, t
)
select case when f.n is null then 'no_time' when f.is_now then 'allowed' else f.held_up_by end,
  case when not f.is_now then extract(epoch from f.t)::bigint end
from cases c left join first f on f.n = c.n
order by c.n
