-- In: {lease_seconds, providers: {channel: name}, messages: [{org_id, id, status, code, reason, available_at or null,
-- chosen, to}]}, as core decided about what this transaction locked; chosen: another endpoint than the row has, or null.
-- Out: [{id, org_id, lease_id, channel, purpose, to, subject, body, payload, provider, attempts}]: those that go out.
with given as materialized (
  select g.* from jsonb_to_recordset($1 -> 'messages') as g (org_id uuid, id uuid, status text, code text, reason text,
    available_at timestamptz, chosen uuid, "to" text)
), lease as materialized (
  select gen_random_uuid() as id
), kept as materialized (
  -- An endpoint that was removed since: then the message waits for the next claim, which chooses anew.
  select e.id
  from given g join public.customer_contacts e on e.org_id = g.org_id and e.id = g.chosen
  for key share of e
), decided as (
  update public.crm_outbox o
  set status = g.status, decision_code = g.code, decision_reason = g.reason, decided_at = now(),
    available_at = coalesce(g.available_at, o.available_at), contact_id = coalesce(g.chosen, o.contact_id),
    to_address = coalesce(g.to, o.to_address),
    lease_id = case g.status when 'sending' then l.id end,
    leased_until = case g.status when 'sending' then now() + make_interval(secs => ($1 ->> 'lease_seconds')::integer) end,
    attempts = case g.status when 'sending' then o.attempts + 1 else o.attempts end,
    provider = case g.status when 'sending' then $1 -> 'providers' ->> o.channel else o.provider end,
    completed_at = case g.status when 'refused' then now() end
  from given g, lease l
  where o.org_id = g.org_id and o.id = g.id and (g.chosen is null or g.chosen in (select k.id from kept k))
  returning o.*
)
select coalesce(json_agg(json_build_object('id', d.id, 'org_id', d.org_id, 'lease_id', d.lease_id, 'channel', d.channel,
  'purpose', d.purpose, 'to', d.to_address, 'subject', d.subject, 'body', d.body, 'payload', d.payload,
  'provider', d.provider, 'attempts', d.attempts) order by d.available_at, d.id), '[]')
from decided d
where d.status = 'sending'
