-- The head of consent/facts.sql for a claim: locks what is due, the longest due first, and asks about it. What another session
-- holds is left to it; the queue is locked first, so that two claims do not try the same rows.
-- In: {org_id or null for all, channels: [text], batch_limit}. The key of a customer is the message's id. rest: [[id, org_id,
-- customer_id, contact_id, user_id, channel, purpose, to, expires_at, created_at, status, provider, attempts, max_attempts, lead,
-- disabled, only_to]]; status is queued, or sending where a lease ran out; lead: {customer_id, email, phone, stopped} as it is now, where it is
-- for one; disabled: whether its endpoint is; only_to: to whom alone it
-- may go because of its secret, nobody ('') where that is gone.
with recursive lanes as (
  -- The lanes that webhooks wait in, one look at the index each.
  (select q.org_id, q.lane from fieldcrm.outbox_queue q
    where $1 -> 'channels' ? 'webhook' and q.channel = 'webhook' and ($1 ->> 'org_id' is null or q.org_id = ($1 ->> 'org_id')::uuid)
    order by q.org_id, q.lane limit 1)
  union all
  select n.org_id, n.lane
  from lanes l
  cross join lateral (select q.org_id, q.lane from fieldcrm.outbox_queue q
    where q.channel = 'webhook' and (q.org_id, q.lane) > (l.org_id, l.lane)
      and ($1 ->> 'org_id' is null or q.org_id = ($1 ->> 'org_id')::uuid)
    order by q.org_id, q.lane limit 1) n
), waiting_webhooks as materialized (
  -- The first of each lane before the second of any; an endpoint that fails gets one message to try, and only now and then.
  select x.*
  from (
    select p.org_id, p.id, p.due_at, row_number() over (partition by p.org_id, l.lane order by p.due_at) as place
    from lanes l
    left join public.webhook_endpoints e on e.org_id = l.org_id and e.id = l.lane
    cross join lateral (
      select q.org_id, q.id, q.due_at
      from fieldcrm.outbox_queue q
      where q.channel = 'webhook' and q.org_id = l.org_id and q.lane = l.lane and q.due_at <= now()
        and (e.resume_at is null or e.resume_at <= now())
      order by q.due_at
      limit case when e.resume_at is null then 5 else 1 end) p
  ) x
  order by x.place, x.due_at
  -- More than is asked for, because others may hold some of it.
  limit 4 * ($1 ->> 'batch_limit')::bigint
), picked_webhooks as materialized (
  select q.org_id, q.id, q.due_at
  from waiting_webhooks w join fieldcrm.outbox_queue q on q.org_id = w.org_id and q.id = w.id
  where q.due_at <= now()
  order by w.place, w.due_at
  limit ($1 ->> 'batch_limit')::bigint
  for update of q skip locked
), picked as materialized (
  (select x.*
  from (
    select q.org_id, q.id, q.due_at
    from fieldcrm.outbox_queue q
    where q.due_at <= now() and q.channel <> 'webhook' and q.channel = any (array(select jsonb_array_elements_text($1 -> 'channels')))
      and ($1 ->> 'org_id' is null or q.org_id = ($1 ->> 'org_id')::uuid)
    order by q.due_at
    -- The most that a claim can ask for. It tells the planner how few they are; only what is asked for is locked.
    limit 1000
    for update skip locked
  ) x
  limit ($1 ->> 'batch_limit')::bigint)
  union all
  select w.* from picked_webhooks w
  limit ($1 ->> 'batch_limit')::bigint
), due as materialized (
  select o.id, o.org_id, o.customer_id, o.contact_id, o.user_id, o.channel, o.purpose, o.to_address, o.expires_at, o.created_at,
    o.status, o.provider, o.attempts, o.max_attempts, o.lead_id, p.due_at, coalesce(not e.is_enabled, false) as disabled,
    case when o.is_sealed then coalesce(s.to_address, '') end as only_to
  from picked p join public.crm_outbox o on o.org_id = p.org_id and o.id = p.id
  left join public.webhook_endpoints e on e.org_id = o.org_id and e.id = o.webhook_endpoint_id
  left join fieldcrm.outbox_secrets s on s.org_id = o.org_id and s.id = o.id
  where (o.status = 'queued' and o.available_at <= now()) or (o.status = 'sending' and o.leased_until < now())
  for update of o skip locked
), asked as (
  -- A lead may have become a customer since, and is asked about where it has its address.
  select d.id as key, d.org_id, case when d.lead_id is null then d.customer_id
      else (select l.customer_id from public.leads l where l.org_id = d.org_id and l.id = d.lead_id) end as id, d.contact_id
  from due d
  where num_nonnulls(d.customer_id, d.lead_id) > 0 and d.user_id is null and d.channel <> 'webhook'
), asked_orgs as (
  select distinct d.org_id as id from due d
), asked_members as (
  select distinct d.org_id, d.user_id as id from due d where d.user_id is not null
), rest as (
  select coalesce(json_agg(json_build_array(d.id, d.org_id, d.customer_id, d.contact_id, d.user_id, d.channel, d.purpose,
    d.to_address, d.expires_at, d.created_at, d.status, d.provider, d.attempts, d.max_attempts, case when d.lead_id is not null then (
      select json_build_object('customer_id', l.customer_id, 'email', l.email, 'phone', l.phone, 'stopped', array(
        select t.channel from public.crm_opt_outs t
        where t.org_id = l.org_id and ((t.channel = 'email' and t.address = l.email) or (t.channel in ('sms', 'whatsapp') and t.address = l.phone))))
      from public.leads l where l.org_id = d.org_id and l.id = d.lead_id) end, d.disabled, d.only_to) order by d.due_at), '[]') as document
  from due d
)
