-- In: {org_id or null for all, batch_limit}. Out: {reminded, overdue: follow-ups that were marked, notified, emailed}. For sessions
-- that bypass RLS. What somebody else holds is left to the next call. The mark, the notice, the message and the event come
-- into being together, so a worker that is killed leaves all of it to the next; and each has a key of its own.
-- Who has no active assignee, or a customer that is closed to new entries, is marked all the same: nobody waits for it.
with reminders as materialized (
  select f.id
  from public.crm_followups f
  where f.status = 'pending' and f.reminded_at is null and f.remind_at <= now()
    and ($1 ->> 'org_id' is null or f.org_id = ($1 ->> 'org_id')::uuid)
  order by f.remind_at
  limit ($1 ->> 'batch_limit')::bigint
  for update skip locked
), overdue as materialized (
  select f.id
  from public.crm_followups f
  where f.status = 'pending' and f.overdue_notified_at is null and f.due_at < now()
    and ($1 ->> 'org_id' is null or f.org_id = ($1 ->> 'org_id')::uuid)
  order by f.due_at
  limit ($1 ->> 'batch_limit')::bigint
  for update skip locked
), picked as materialized (
  select x.id, bool_or(x.remind) as remind, bool_or(not x.remind) as overdue
  from (select r.id, true from reminders r union all select o.id, false from overdue o) as x (id, remind)
  group by x.id
), marked as (
  update public.crm_followups f
  set reminded_at = case when p.remind then now() else f.reminded_at end,
    overdue_notified_at = case when p.overdue then now() else f.overdue_notified_at end
  from picked p where f.id = p.id
  returning f.id, f.org_id, f.customer_id, f.assigned_to_user_id, f.title, f.description, f.due_at, f.remind_at, f.priority,
    f.origin, p.remind, p.overdue
), open as materialized (
  select m.*, c.name as customer, p.id as user_id, p.email, o.name as org, o.time_zone
  from marked m
  join public.orgs o on o.id = m.org_id
  join public.customers c on c.org_id = m.org_id and c.id = m.customer_id and c.erased_at is null and c.merged_into_id is null
  left join public.profiles p on p.org_id = m.org_id and p.id = m.assigned_to_user_id and p.status = 'active'
    and p.role not in ('portal_customer', 'portal_manager')
), notices as (
  insert into public.crm_notifications (org_id, user_id, customer_id, type, title, body, data, dedupe_key)
  select o.org_id, o.user_id, o.customer_id, n.type, o.title, o.customer,
    jsonb_build_object('followup_id', o.id, 'due_at', o.due_at, 'priority', o.priority),
    n.type || ':' || o.id || ':' || trim_scale(extract(epoch from n.at))
  from open o
  cross join lateral (values ('followup_reminder', o.remind, o.remind_at), ('followup_overdue', o.overdue, o.due_at))
    as n (type, happened, at)
  where n.happened and o.user_id is not null
  order by o.org_id, o.id
  on conflict (org_id, dedupe_key) do nothing
  returning 1
), emails as (
  -- Members need no consent. The customer is named so that an erasure finds the text.
  insert into public.crm_outbox (org_id, customer_id, user_id, channel, purpose, to_address, subject, body, status,
    decision_code, decided_at, dedupe_key)
  select o.org_id, o.customer_id, o.user_id, 'email', 'transactional', o.email,
    'Reminder: ' || regexp_replace(o.title, '[[:cntrl:]]+', ' ', 'g'),
    -- The body of an e-mail is HTML, and names are what somebody typed.
    replace(replace(replace(replace(replace(
      concat_ws(E'\n\n', o.title, 'Customer: ' || o.customer || E'\n' || 'Due: '
        || to_char(o.due_at at time zone o.time_zone, 'YYYY-MM-DD HH24:MI') || ' (' || o.time_zone || ')', o.description, o.org),
      '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), E'\n', '<br>' || E'\n'),
    'queued', 'allowed', now(), 'followup_reminder:' || o.id || ':' || trim_scale(extract(epoch from o.remind_at))
  from open o
  where o.remind and o.user_id is not null and o.email is not null
  order by o.org_id, o.id
  on conflict (org_id, dedupe_key) do nothing
  returning 1
), events as (
  -- Titles stay out of events: they name people.
  insert into public.crm_events (org_id, event_type, customer_id, payload, event_key, occurred_at)
  select o.org_id, 'followup_overdue', o.customer_id, jsonb_build_object('followup_id', o.id, 'due_at', o.due_at,
      'priority', o.priority, 'origin', o.origin, 'assigned_to_user_id', o.assigned_to_user_id),
    'followup_overdue:' || o.id || ':' || trim_scale(extract(epoch from o.due_at)), o.due_at
  from open o
  where o.overdue
  order by o.org_id, o.id
  on conflict (org_id, event_key) do nothing
)
select jsonb_build_object('reminded', (select count(*) from reminders), 'overdue', (select count(*) from overdue),
  'notified', (select count(*) from notices), 'emailed', (select count(*) from emails))
