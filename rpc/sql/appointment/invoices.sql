-- {…, status or null, at and id: the place that the page begins behind, limit}, behind scope.sql. Out: the bills, the newest first, one more
-- than the limit; drafts and void ones are ours.
, asked as materialized (
  select v.*
  from scope s
  cross join lateral (
    select i.id, i.created_at, i.number, i.status, i.total, i.amount_paid, i.issued_at, i.due_at, i.paid_at, i.work_order_id,
      i.customer_id, i.org_id
    from public.invoices i
    where i.org_id = ($1 ->> 'org_id')::uuid and i.customer_id = s.customer_id
      and i.status in ('sent', 'paid') and ($1 ->> 'status' is null or i.status = $1 ->> 'status')
      and (s.whole or exists (select from public.work_orders w
        where w.org_id = i.org_id and w.id = i.work_order_id and w.location_id = any (s.locations)))
      and (i.created_at, i.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
    order by i.created_at desc, i.id desc
    limit ($1 ->> 'limit')::bigint + 1) v
  order by v.created_at desc, v.id desc
  limit ($1 ->> 'limit')::bigint + 1
)
select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'at', a.created_at, 'number', a.number, 'status', a.status, 'total', a.total,
  'amount_paid', a.amount_paid, 'currency', o.currency, 'issued_at', a.issued_at, 'due_at', a.due_at, 'paid_at', a.paid_at,
  'customer_id', a.customer_id, 'job_id', a.work_order_id,
  'document_id', (select d.id from public.documents d
    where d.org_id = a.org_id and d.invoice_id = a.id and d.customer_id = a.customer_id and d.is_customer_visible
    order by d.created_at desc, d.id limit 1))
  order by a.created_at desc, a.id desc), '[]')
from asked a join public.orgs o on o.id = a.org_id
