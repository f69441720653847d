-- In: {org_id, provider, statuses: [{provider_message_id, status, error_code, error_message}]}, the furthest of each message. Out:
-- {<provider_message_id>: {message_id, lead_id, conversation_id}} of those that are ours. Forward only; rows are locked in
-- their order. What the outbox knows it tells its message (fieldcrm.follow_outbox).
with given as materialized (
  select g.* from jsonb_to_recordset($1 -> 'statuses') as g (provider_message_id text, status text, error_code text, error_message text)
), queued as materialized (
  select o.id, o.sent_at is null as is_new, g.provider_message_id, g.status, g.error_code, g.error_message
  from given g
  join public.crm_outbox o on o.provider = $1 ->> 'provider' and o.provider_message_id = g.provider_message_id
  where o.org_id = ($1 ->> 'org_id')::uuid
  order by o.id
  for no key update of o
), said as materialized (
  select m.id, m.lead_id, m.conversation_id, m.status as was, g.provider_message_id, g.status, g.error_code, g.error_message
  from given g
  join public.messages m on m.org_id = ($1 ->> 'org_id')::uuid and m.provider = $1 ->> 'provider'
    and m.provider_message_id = g.provider_message_id
  where m.direction = 'outbound' and (select count(*) from queued) >= 0
  order by m.id
  for no key update of m
), outbox as (
  update public.crm_outbox o
  set status = q.status, leased_until = null, completed_at = coalesce(o.completed_at, now()),
    sent_at = coalesce(o.sent_at, case when q.status <> 'failed' then now() end),
    delivered_at = case when q.status in ('delivered', 'read') then coalesce(o.delivered_at, now()) else o.delivered_at end,
    error_code = case when q.status = 'failed' then coalesce(q.error_code, 'failed') end,
    error_message = case when q.status = 'failed' then q.error_message end
  from queued q
  where o.org_id = ($1 ->> 'org_id')::uuid and o.id = q.id and case o.status
    when 'sending' then true when 'unknown' then true when 'sent' then q.status <> 'sent'
    when 'delivered' then q.status = 'read' when 'failed' then q.status in ('delivered', 'read') else false end
  returning o.*, q.is_new
), logged as (
  -- As outbox/settle.sql does: nobody else had said that it went out.
  insert into public.crm_interactions (org_id, customer_id, channel, direction, subject, body, metadata, created_by_user_id,
    occurred_at)
  select s.org_id, s.customer_id, (s.channel || '_outbound')::public.interaction_channel,
    (case when s.created_by_user_id is null then 'system_generated' else 'outbound' end)::public.interaction_direction,
    s.subject, s.body, jsonb_build_object('outbox_id', s.id), s.created_by_user_id, s.sent_at
  from outbox s
  join public.customers c on c.org_id = s.org_id and c.id = s.customer_id and c.erased_at is null and c.merged_into_id is null
  where s.is_new and s.status <> 'failed' and s.user_id is null and s.channel <> 'webhook'
), messages as (
  update public.messages m
  set status = s.status, metadata = case when s.status = 'failed' then m.metadata
    || jsonb_build_object('error_code', s.error_code, 'error_message', s.error_message) else m.metadata end
  from said s
  where m.org_id = ($1 ->> 'org_id')::uuid and m.id = s.id and case m.status
    when 'sent' then s.status <> 'sent' when 'delivered' then s.status = 'read'
    when 'failed' then s.status in ('delivered', 'read') else false end
)
select coalesce(jsonb_object_agg(x.provider_message_id, jsonb_build_object('message_id', x.id, 'lead_id', x.lead_id,
  'conversation_id', x.conversation_id)), '{}')
from (
  select distinct on (g.provider_message_id) g.provider_message_id, coalesce(s.id, m.id) as id, coalesce(s.lead_id, m.lead_id) as lead_id,
    coalesce(s.conversation_id, m.conversation_id) as conversation_id
  from given g
  left join said s using (provider_message_id)
  left join queued q using (provider_message_id)
  left join public.messages m on m.org_id = ($1 ->> 'org_id')::uuid and m.outbox_id = q.id
  where s.id is not null or q.id is not null
  order by g.provider_message_id) x
