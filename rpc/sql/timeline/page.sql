-- In: {org_id, customer_id, user_id or null, limit, kinds: [names], at and id: the place that the page begins behind}. Out:
-- {items: limit + 1 of them, if there are so many}, newest first; null if the caller does not see the customer. Who
-- looked is written down.
-- Each branch reads its own index in the order of the page and stops at the limit; a new kind is one more branch. Under RLS
-- coalesce() keeps a comparison out of the condition of an index: so the first page begins behind a place above all others,
-- and the work orders of a customer, of which there are few, are filtered. What moves to another time between two
-- pages can be missed or met twice; what happened does not move.
with customer as materialized (
  select c.org_id, c.id
  from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'customer_id')::uuid
), noted as (
  insert into public.crm_access_log (org_id, customer_id, operation, user_id, request_id, ip, user_agent)
  select c.org_id, c.id, 'crm_customer_timeline', ($1 ->> 'user_id')::uuid, r.request_id, r.ip, r.user_agent
  from customer c, fieldcrm.request_context() r
), page as (
  select x.*
  from (
    (select i.occurred_at as at, i.id, to_jsonb(i) || jsonb_build_object('kind', 'interaction', 'at', i.occurred_at) as item
      from public.crm_interactions i
      where $1 -> 'kinds' ? 'interaction'
        and i.org_id = ($1 ->> 'org_id')::uuid and i.customer_id = ($1 ->> 'customer_id')::uuid
        and (i.occurred_at, i.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
      order by i.occurred_at desc, i.id desc
      limit ($1 ->> 'limit')::bigint + 1)
    union all
    (select f.due_at, f.id, to_jsonb(f) || jsonb_build_object('kind', 'followup', 'at', f.due_at)
      from public.crm_followups f
      where $1 -> 'kinds' ? 'followup'
        and f.org_id = ($1 ->> 'org_id')::uuid and f.customer_id = ($1 ->> 'customer_id')::uuid
        and (f.due_at, f.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
      order by f.due_at desc, f.id desc
      limit ($1 ->> 'limit')::bigint + 1)
    union all
    (select coalesce(w.completed_at, w.window_start, w.created_at), w.id,
        to_jsonb(w) || jsonb_build_object('kind', 'work_order', 'at', coalesce(w.completed_at, w.window_start, w.created_at))
      from public.work_orders w
      where $1 -> 'kinds' ? 'work_order'
        and w.org_id = ($1 ->> 'org_id')::uuid and w.customer_id = ($1 ->> 'customer_id')::uuid
        and (coalesce(w.completed_at, w.window_start, w.created_at), w.id)
          < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
      order by coalesce(w.completed_at, w.window_start, w.created_at) desc, w.id desc
      limit ($1 ->> 'limit')::bigint + 1)
  ) x
  order by x.at desc, x.id desc
  limit ($1 ->> 'limit')::bigint + 1
)
select jsonb_build_object('items', coalesce((select jsonb_agg(p.item order by p.at desc, p.id desc) from page p), '[]'))
from customer c
