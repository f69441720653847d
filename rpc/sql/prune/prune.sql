-- In: {org_id or null for all, batch_limit}. Out: {idempotency_keys, events, webhook_deliveries, signups: how many were deleted of each}. For sessions that bypass
-- RLS. What somebody else holds is left to the next call. Of events, those that automation has still to work off and those
-- whose delayed run is still to come stay, however old they are.
with orgs as materialized (
  select o.id from public.orgs o where $1 ->> 'org_id' is null or o.id = ($1 ->> 'org_id')::uuid
), old_keys as materialized (
  select k.org_id, k.user_id, k.key
  from fieldcrm.idempotency_keys k
  where k.created_at < now() - interval '24 hours' and ($1 ->> 'org_id' is null or k.org_id = ($1 ->> 'org_id')::uuid)
  order by k.created_at
  limit ($1 ->> 'batch_limit')::bigint
  for update skip locked
), keys as (
  delete from fieldcrm.idempotency_keys k using old_keys x
  where k.org_id = x.org_id and k.user_id = x.user_id and k.key = x.key
  returning 1
), old_events as materialized (
  -- Each org's oldest are at the end of its own index.
  select e.org_id, e.id
  from orgs o
  cross join lateral (
    select e.org_id, e.id
    from public.crm_events e
    where e.org_id = o.id and e.created_at < now() - interval '90 days'
      and not exists (select from fieldcrm.event_queue q where q.org_id = e.org_id and q.event_id = e.id)
      and not exists (select from public.crm_automation_runs r where r.org_id = e.org_id and r.event_id = e.id and r.status = 'pending')
    order by e.created_at
    limit ($1 ->> 'batch_limit')::bigint
    for update skip locked) e
  limit ($1 ->> 'batch_limit')::bigint
), events as (
  delete from public.crm_events e using old_events x where e.org_id = x.org_id and e.id = x.id
  returning 1
), old_deliveries as materialized (
  select d.org_id, d.id
  from orgs o
  cross join lateral (
    select x.org_id, x.id
    from public.crm_outbox x
    where x.org_id = o.id and x.event_id is not null and x.created_at < now() - interval '30 days'
      and x.status not in ('queued', 'sending')
    order by x.created_at
    limit ($1 ->> 'batch_limit')::bigint
    for update skip locked) d
  limit ($1 ->> 'batch_limit')::bigint
), deliveries as (
  delete from public.crm_outbox x using old_deliveries d where x.org_id = d.org_id and x.id = d.id
  returning 1
), old_signups as materialized (
  -- Whoever has not shown in a month that an address is theirs does not wait any more.
  select p.user_id
  from orgs o
  cross join lateral (
    select p.user_id from fieldcrm.portal_signups p
    where p.org_id = o.id and p.created_at < now() - interval '30 days'
    order by p.created_at
    limit ($1 ->> 'batch_limit')::bigint
    for update skip locked) p
  limit ($1 ->> 'batch_limit')::bigint
), signups as (
  delete from fieldcrm.portal_signups p using old_signups x where p.user_id = x.user_id
  returning 1
)
select jsonb_build_object('idempotency_keys', (select count(*) from keys), 'events', (select count(*) from events),
  'webhook_deliveries', (select count(*) from deliveries), 'signups', (select count(*) from signups))
