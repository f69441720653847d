-- {…, id}. asked: the visit, if the caller sees it.
, ordered as materialized (
  select w.id, coalesce(w.completed_at, w.window_start, w.created_at) as at, 1 as ord
  from public.work_orders w
  join scope s on s.customer_id = w.customer_id and (s.whole or w.location_id = any (s.locations))
  where w.org_id = ($1 ->> 'org_id')::uuid and w.id = ($1 ->> 'id')::uuid
)
