-- In: {org_id, customer_id, user_id or null, limit, max_text}. Out: {org_id, total, interactions: [{id, day, channel, direction, sentiment,
-- text or null: its first max_text characters}], the latest first}; null if the caller does not see the customer. Who looked is written down.
with c as materialized (
  select c.org_id, c.id, o.time_zone
  from public.customers c join public.orgs o on o.id = c.org_id
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'customer_id')::uuid
), noted as (
  insert into public.crm_access_log (org_id, customer_id, operation, user_id, request_id, ip, user_agent)
  select c.org_id, c.id, 'crm_interaction_texts', ($1 ->> 'user_id')::uuid, r.request_id, r.ip, r.user_agent
  from c, fieldcrm.request_context() r
), said as materialized (
  select i.id, i.occurred_at, (i.occurred_at at time zone c.time_zone)::date as day, i.channel, i.direction, i.sentiment,
    left(coalesce(nullif(btrim(i.body, E' \t\r\n'), ''), nullif(btrim(i.summary, E' \t\r\n'), ''), nullif(btrim(i.subject, E' \t\r\n'), '')),
      ($1 ->> 'max_text')::integer) as text
  from c join public.crm_interactions i on i.org_id = c.org_id and i.customer_id = c.id
  where i.occurred_at <= now()
  order by i.occurred_at desc, i.id desc
  limit ($1 ->> 'limit')::bigint
)
select jsonb_build_object('org_id', c.org_id,
  'total', (select count(*) from public.crm_interactions i where i.org_id = c.org_id and i.customer_id = c.id and i.occurred_at <= now()),
  'interactions', (select coalesce(jsonb_agg(to_jsonb(s) - 'occurred_at' order by s.occurred_at desc, s.id desc), '[]') from said s))
from c
