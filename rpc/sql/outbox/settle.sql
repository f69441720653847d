-- In: {org_id, id, set: columns, log: whether it is now known to have gone out}, as core decided about the row that this
-- transaction locked. Out: the row. What went out to a customer is logged with it, in one statement: both or neither.
with settled as (
  update public.crm_outbox o
  set (status, leased_until, lease_id, attempts, available_at, completed_at, provider_message_id, error_code, error_message,
      sent_at, delivered_at) = (
    select n.status, n.leased_until, n.lease_id, n.attempts, n.available_at, n.completed_at, n.provider_message_id, n.error_code,
      n.error_message,
      case when n.status in ('sent', 'delivered', 'read') then coalesce(n.sent_at, now()) else n.sent_at end,
      case when n.status in ('delivered', 'read') then coalesce(n.delivered_at, now()) else n.delivered_at end
    from jsonb_populate_record(o, $1 -> 'set') n)
  where o.org_id = ($1 ->> 'org_id')::uuid and o.id = ($1 ->> 'id')::uuid
  returning o.*
), logged as (
  insert into public.crm_interactions (org_id, customer_id, channel, direction, subject, body, metadata, created_by_user_id,
    occurred_at)
  select s.org_id, s.customer_id, (s.channel || '_outbound')::public.interaction_channel,
    (case when s.created_by_user_id is null then 'system_generated' else 'outbound' end)::public.interaction_direction,
    s.subject, s.body, jsonb_build_object('outbox_id', s.id), s.created_by_user_id, s.sent_at
  from settled s
  -- Who was closed meanwhile takes nothing new.
  join public.customers c on c.org_id = s.org_id and c.id = s.customer_id and c.erased_at is null and c.merged_into_id is null
  where ($1 ->> 'log')::boolean and s.user_id is null and s.channel <> 'webhook'
)
select to_jsonb(s) from settled s
