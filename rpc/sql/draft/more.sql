-- In: {org_id, customer_id, user_id or null}. Out: {next_visit: {day, time} or null, message: what the customer wrote last: {day, text,
-- sentiment} or null}; of a long message its beginning. Who looked is written down.
with c as materialized (
  select c.org_id, c.id, o.time_zone
  from public.customers c join public.orgs o on o.id = c.org_id
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'customer_id')::uuid
), noted as (
  insert into public.crm_access_log (org_id, customer_id, operation, user_id, request_id, ip, user_agent)
  select c.org_id, c.id, 'crm_message_context', ($1 ->> 'user_id')::uuid, r.request_id, r.ip, r.user_agent
  from c, fieldcrm.request_context() r
), visit as (
  select (w.window_start at time zone c.time_zone)::date as day, (w.window_start at time zone c.time_zone)::time as time
  from c join public.work_orders w on w.org_id = c.org_id and w.customer_id = c.id
  where w.status = 'scheduled' and w.window_start > now()
  order by w.window_start, w.id limit 1
), message as (
  select (i.occurred_at at time zone c.time_zone)::date as day, left(coalesce(nullif(btrim(i.body), ''), i.summary), 4000) as text, i.sentiment
  from c join public.crm_interactions i on i.org_id = c.org_id and i.customer_id = c.id
  where i.direction = 'inbound' and i.occurred_at <= now() and coalesce(nullif(btrim(i.body), ''), nullif(btrim(i.summary), '')) is not null
  order by i.occurred_at desc, i.id limit 1
)
select jsonb_build_object('next_visit', (select to_jsonb(v) from visit v), 'message', (select to_jsonb(m) from message m))
from c
