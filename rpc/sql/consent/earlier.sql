-- In: {at: not in the future, customers: [{org_id, id, hours}]}, each once. Out: [{customer_id, id, created_at, at, waits}]: the marketing
-- that counts for a cap of that many hours, with when it went out, or would go out at the earliest.
select coalesce(json_agg(json_build_object('customer_id', m.customer_id, 'id', m.id, 'created_at', m.created_at, 'at', m.at,
  'waits', m.status = 'queued')), '[]')
from jsonb_to_recordset($1 -> 'customers') as x (org_id uuid, id uuid, hours integer)
cross join lateral (
  select o.id, o.customer_id, o.created_at, o.status, coalesce(o.sent_at, case
      when o.status in ('queued', 'sending') then greatest(o.available_at, ($1 ->> 'at')::timestamptz)
      else o.updated_at end) as at
  from public.crm_outbox o
  where o.org_id = x.org_id and o.customer_id = x.id and o.purpose = 'marketing'
    and o.status in ('queued', 'sending', 'sent', 'delivered', 'read', 'unknown')
) m
where m.at > ($1 ->> 'at')::timestamptz - make_interval(hours => x.hours)
