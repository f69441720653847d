-- In: {lease_seconds, providers: {channel: name}, sending: [{org_id, id}]: those that go out as they are, decided: [{org_id, id,
-- status, code, reason, available_at or null, chosen, to, error_code, error_message}]: all others, as core decided about what this
-- transaction locked; chosen: another endpoint than the row has, or null. Out: [[id, lease_id, subject, body, payload, attempts, event_id]]:
-- those that go out, with their secrets filled in.
with lease as materialized (
  select gen_random_uuid() as id, now() + make_interval(secs => ($1 ->> 'lease_seconds')::integer) as until
), sending as materialized (
  select g.* from jsonb_to_recordset($1 -> 'sending') as g (org_id uuid, id uuid)
), sent as (
  update public.crm_outbox o
  set status = 'sending', decision_code = 'allowed', decision_reason = null, decided_at = now(), lease_id = l.id,
    leased_until = l.until, attempts = o.attempts + 1, provider = $1 -> 'providers' ->> o.channel,
    updated_at = now()
  from sending g, lease l
  where o.org_id = g.org_id and o.id = g.id
  returning o.org_id, o.id, o.status, o.lease_id, o.subject, o.body, o.payload, o.attempts, o.event_id
), given as materialized (
  select g.* from jsonb_to_recordset($1 -> 'decided') as g (org_id uuid, id uuid, status text, code text, reason text,
    available_at timestamptz, chosen uuid, "to" text, error_code text, error_message text)
), kept as materialized (
  -- An endpoint that was removed since: then the message waits for the next claim, which chooses anew.
  select e.id
  from given g join public.customer_contacts e on e.org_id = g.org_id and e.id = g.chosen
  for key share of e
), decided as (
  update public.crm_outbox o
  set status = g.status, decision_code = coalesce(g.code, o.decision_code), decision_reason = g.reason, decided_at = now(),
    available_at = coalesce(g.available_at, o.available_at), contact_id = coalesce(g.chosen, o.contact_id),
    to_address = coalesce(g.to, o.to_address),
    -- Whose lease ran out may still say how it went, unless it is in other hands.
    lease_id = case g.status when 'sending' then l.id when 'unknown' then o.lease_id end,
    leased_until = case g.status when 'sending' then l.until end,
    attempts = case g.status when 'sending' then o.attempts + 1 else o.attempts end,
    provider = case g.status when 'sending' then $1 -> 'providers' ->> o.channel else o.provider end,
    completed_at = case when g.status in ('refused', 'unknown', 'canceled') then now() end,
    error_code = coalesce(g.error_code, o.error_code), error_message = coalesce(g.error_message, o.error_message)
  from given g, lease l
  where o.org_id = g.org_id and o.id = g.id and (g.chosen is null or g.chosen in (select k.id from kept k))
  returning o.org_id, o.id, o.status, o.lease_id, o.subject, o.body, o.payload, o.attempts, o.event_id
), out as materialized (
  select * from sent union all select * from decided d where d.status = 'sending'
), leased as (
  update fieldcrm.outbox_queue q set due_at = l.until from out o, lease l where q.org_id = o.org_id and q.id = o.id
)
select coalesce(json_agg(json_build_array(o.id, o.lease_id, o.subject, coalesce(replace(o.body, '[secret]', s.secret), o.body), o.payload,
  o.attempts, o.event_id)), '[]')
from out o left join fieldcrm.outbox_secrets s on s.org_id = o.org_id and s.id = o.id
