-- In: {org_id or null for all}. Out: {status, late_after_seconds, queues: [{name, waiting, due, oldest_due_seconds or null, failed_24h}]}. Runs as owner, for
-- jobs and DBAs. failed_24h: what came into being in the last 24 hours and was given up.
with paused as (
  select e.id from public.webhook_endpoints e where e.resume_at > now()
), queue (name, waiting, due, oldest, failed) as (
  select 'events', count(*), count(*), min(e.created_at), 0::bigint
  from fieldcrm.event_queue q left join public.crm_events e on e.org_id = q.org_id and e.id = q.event_id
  where $1 ->> 'org_id' is null or q.org_id = ($1 ->> 'org_id')::uuid
  union all
  select 'automation_runs', count(*), count(*) filter (where r.due_at <= now()), min(r.due_at) filter (where r.due_at <= now()), (
    select count(*) from public.orgs o join public.crm_automation_runs f on f.org_id = o.id
    where f.started_at > now() - interval '24 hours' and f.status = 'failed' and ($1 ->> 'org_id' is null or o.id = ($1 ->> 'org_id')::uuid))
  from public.crm_automation_runs r
  where r.status = 'pending' and ($1 ->> 'org_id' is null or r.org_id = ($1 ->> 'org_id')::uuid)
  union all
  -- A message by its channel, since each may have a provider or none; what waits for an endpoint that fails is its owner's to mend.
  select k.name, count(q.id), count(q.id) filter (where q.due_at <= now() and q.lane not in (select p.id from paused p)),
    min(q.due_at) filter (where q.due_at <= now() and q.lane not in (select p.id from paused p)), (
      select count(*) from public.orgs o join public.crm_outbox f on f.org_id = o.id
      where f.created_at > now() - interval '24 hours' and f.status in ('failed', 'unknown') and f.channel = k.channel
        and ($1 ->> 'org_id' is null or o.id = ($1 ->> 'org_id')::uuid))
  from (values ('emails', 'email'), ('sms', 'sms'), ('whatsapp', 'whatsapp'), ('webhooks', 'webhook')) as k (name, channel)
  left join (
    select w.org_id, w.id, w.channel, w.due_at, coalesce(w.lane, w.org_id) as lane from fieldcrm.outbox_queue w) q
    on q.channel = k.channel and ($1 ->> 'org_id' is null or q.org_id = ($1 ->> 'org_id')::uuid)
  group by k.name, k.channel
  union all
  select 'sentiments', count(*) filter (where q.failed_at is null), count(*) filter (where q.failed_at is null and q.due_at <= now()),
    min(q.due_at) filter (where q.failed_at is null and q.due_at <= now()), count(*) filter (where q.failed_at > now() - interval '24 hours')
  from fieldcrm.sentiment_queue q
  where $1 ->> 'org_id' is null or q.org_id = ($1 ->> 'org_id')::uuid
  union all
  select 'scores', count(*), count(*) filter (where d.at <= now()), min(d.at) filter (where d.at <= now()), (
    select count(*) from public.ai_jobs f
    where f.created_at > now() - interval '24 hours' and f.status = 'failed' and ($1 ->> 'org_id' is null or f.org_id = ($1 ->> 'org_id')::uuid))
  from fieldcrm.ai_job_customers c
  join public.ai_jobs j on j.org_id = c.org_id and j.id = c.job_id
  cross join lateral (select greatest(c.due_at, j.available_at) as at) d
  where c.score is null and c.failed_at is null and ($1 ->> 'org_id' is null or c.org_id = ($1 ->> 'org_id')::uuid)
  union all
  select 'articles', count(*), count(*), min(a.updated_at), 0
  from public.kb_articles a
  where a.is_published and a.embedded_version is distinct from a.version and ($1 ->> 'org_id' is null or a.org_id = ($1 ->> 'org_id')::uuid)
), measured as (
  select q.*, extract(epoch from now() - q.oldest)::bigint as seconds from queue q
)
select jsonb_build_object(
  'status', case when bool_or(m.seconds > 300) then 'late' else 'ok' end, 'late_after_seconds', 300,
  'queues', jsonb_agg(jsonb_build_object('name', m.name, 'waiting', m.waiting, 'due', m.due, 'oldest_due_seconds', m.seconds,
    'failed_24h', m.failed) order by m.name))
from measured m
