-- {…, status or null, from_at, to_at, at and id: the place that the page begins behind, or null, limit}. asked: the visits from
-- early to late, one more than the limit. Every customer's are read from their index and no further than the page goes.
, asked as materialized (
  select v.*
  from scope s
  cross join lateral (
    select w.id, coalesce(w.completed_at, w.window_start, w.created_at) as at
    from public.work_orders w
    where w.org_id = ($1 ->> 'org_id')::uuid and w.customer_id = s.customer_id and (s.whole or w.location_id = any (s.locations))
      and (coalesce(w.completed_at, w.window_start, w.created_at), w.id) > (
        coalesce(($1 ->> 'at')::timestamptz, ($1 ->> 'from_at')::timestamptz, now() - interval '30 days'),
        coalesce(($1 ->> 'id')::uuid, '00000000-0000-0000-0000-000000000000'))
      and coalesce(w.completed_at, w.window_start, w.created_at) < coalesce(($1 ->> 'to_at')::timestamptz, 'infinity')
      and ($1 ->> 'status' is null or w.status = $1 ->> 'status')
    order by coalesce(w.completed_at, w.window_start, w.created_at), w.id
    limit ($1 ->> 'limit')::bigint + 1) v
  order by v.at, v.id
  limit ($1 ->> 'limit')::bigint + 1
), ordered as materialized (
  select a.*, row_number() over (order by a.at, a.id) as ord from asked a
)
