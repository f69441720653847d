-- In: {org_id, id}, a visit that the caller sees. Out: {customer_notes, quotes, invoices, documents, warranties}, what customers may
-- read of it: drafts and what was taken back is ours, and so is a document until somebody shows it.
with job as materialized (
  select w.org_id, w.customer_id, w.id, w.customer_notes
  from public.work_orders w where w.org_id = ($1 ->> 'org_id')::uuid and w.id = ($1 ->> 'id')::uuid
), seen_quotes as materialized (
  select q.* from job j join public.quotes q on q.org_id = j.org_id and q.work_order_id = j.id and q.status <> 'draft'
), seen_invoices as materialized (
  select i.* from job j join public.invoices i on i.org_id = j.org_id and i.work_order_id = j.id and i.status in ('sent', 'paid')
)
select jsonb_build_object('customer_notes', j.customer_notes,
  'quotes', coalesce((
    select jsonb_agg(jsonb_build_object('id', q.id, 'number', q.number, 'status', q.status, 'total', q.total,
      'valid_until', q.valid_until, 'sent_at', q.sent_at) order by q.created_at desc, q.id) from seen_quotes q), '[]'),
  'invoices', coalesce((
    select jsonb_agg(jsonb_build_object('id', i.id, 'number', i.number, 'status', i.status, 'total', i.total,
      'amount_paid', i.amount_paid, 'issued_at', i.issued_at, 'due_at', i.due_at, 'paid_at', i.paid_at)
      order by i.created_at desc, i.id) from seen_invoices i), '[]'),
  'documents', coalesce((
    select jsonb_agg(jsonb_build_object('id', d.id, 'type', d.type, 'title', d.title, 'has_file', d.attachment_id is not null,
      'created_at', d.created_at) order by d.created_at desc, d.id)
    from public.documents d
    where d.org_id = j.org_id and d.customer_id = j.customer_id and d.is_customer_visible
      and (d.work_order_id = j.id or d.quote_id in (select q.id from seen_quotes q)
        or d.invoice_id in (select i.id from seen_invoices i))), '[]'),
  'warranties', coalesce((
    select jsonb_agg(jsonb_build_object('id', x.id, 'title', x.title, 'provider', x.provider, 'terms', x.terms,
      'starts_on', x.starts_on, 'ends_on', x.ends_on) order by x.starts_on desc, x.id)
    from public.warranties x where x.org_id = j.org_id and x.work_order_id = j.id), '[]'))
from job j
