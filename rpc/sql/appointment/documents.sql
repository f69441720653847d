-- {…, at and id: the place that the page begins behind, limit}, behind scope.sql. Out: the documents that are shown, the newest first, one
-- more than the limit. Who sees one place of a customer sees the documents of its visits.
, asked as materialized (
  select v.*
  from scope s
  cross join lateral (
    select d.id, d.created_at, d.type, d.title, d.attachment_id, d.work_order_id, d.customer_id
    from public.documents d
    where d.org_id = ($1 ->> 'org_id')::uuid and d.customer_id = s.customer_id and d.is_customer_visible
      and (s.whole or exists (select from public.work_orders w
        where w.org_id = d.org_id and w.id = d.work_order_id and w.location_id = any (s.locations)))
      and (d.created_at, d.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
    order by d.created_at desc, d.id desc
    limit ($1 ->> 'limit')::bigint + 1) v
  order by v.created_at desc, v.id desc
  limit ($1 ->> 'limit')::bigint + 1
)
select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'at', a.created_at, 'type', a.type, 'title', a.title,
  'has_file', a.attachment_id is not null, 'customer_id', a.customer_id, 'job_id', a.work_order_id, 'created_at', a.created_at)
  order by a.created_at desc, a.id desc), '[]')
from asked a
