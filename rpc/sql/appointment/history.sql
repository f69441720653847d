-- {…, at and id: the place that the page begins behind, limit}. asked: the visits that are over, from late to early, one more
-- than the limit.
, asked as materialized (
  select v.*
  from scope s
  cross join lateral (
    select w.id, coalesce(w.completed_at, w.window_start, w.created_at) as at
    from public.work_orders w
    where w.org_id = ($1 ->> 'org_id')::uuid and w.customer_id = s.customer_id and (s.whole or w.location_id = any (s.locations))
      and (coalesce(w.completed_at, w.window_start, w.created_at), w.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
      and w.status in ('completed', 'canceled')
    order by coalesce(w.completed_at, w.window_start, w.created_at) desc, w.id desc
    limit ($1 ->> 'limit')::bigint + 1) v
  order by v.at desc, v.id desc
  limit ($1 ->> 'limit')::bigint + 1
), ordered as materialized (
  select a.*, row_number() over (order by a.at desc, a.id desc) as ord from asked a
)
