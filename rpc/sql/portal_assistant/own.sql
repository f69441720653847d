-- {…, portal_account_id}, behind appointment/scope.sql. own: the account's own conversations, as long as it sees the customer and the visit.
, own as (
  select c.*, w.location_id
  from public.portal_ai_conversations c
  join scope s on s.customer_id = c.customer_id
  left join public.work_orders w on w.org_id = c.org_id and w.customer_id = c.customer_id and w.id = c.related_work_order_id
  where c.org_id = ($1 ->> 'org_id')::uuid and c.portal_account_id = ($1 ->> 'portal_account_id')::uuid
    and (w.id is null or s.whole or w.location_id = any (s.locations))
)
