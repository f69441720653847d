-- In: {org_id, message_id, sent: whether it went out, http_status, error_code, duration_ms, gone: whether nobody is there any more, patience,
-- longest_pause, min_failures, max_failing_days, roles: [text] whose members are told}. Out: {disabled}. Of a message to an endpoint:
-- writes down the attempt, and how the endpoint does: a success is written only where there were failures. One that is gone, or failed for
-- too long, is disabled, and those are told who manage the org.
with message as materialized (
  select o.org_id, o.id, o.webhook_endpoint_id from public.crm_outbox o
  where o.org_id = ($1 ->> 'org_id')::uuid and o.id = ($1 ->> 'message_id')::uuid
), attempt as (
  insert into public.webhook_attempts (org_id, message_id, outcome, http_status, error_code, duration_ms, attempted_at)
  select m.org_id, m.id, case when ($1 ->> 'sent')::boolean then 'sent' else 'failed' end, ($1 ->> 'http_status')::integer,
    $1 ->> 'error_code', ($1 ->> 'duration_ms')::integer,
    clock_timestamp() - make_interval(secs => coalesce(($1 ->> 'duration_ms')::integer, 0) / 1000.0)
  from message m
), held as materialized (
  -- As it is now, whoever changed it since this statement began.
  select e.* from message m join public.webhook_endpoints e on e.org_id = m.org_id and e.id = m.webhook_endpoint_id
  where not ($1 ->> 'sent')::boolean or e.failure_count > 0
  for no key update of e
), endpoint as (
  update public.webhook_endpoints e
  set failure_count = n.failures, failing_since = n.since,
    resume_at = case when n.failures >= ($1 ->> 'patience')::integer then now() + make_interval(secs =>
      least(2 ^ least(n.failures, 20), ($1 ->> 'longest_pause')::integer)) end,
    is_enabled = e.is_enabled and n.reason is null,
    disabled_reason = case when e.is_enabled then n.reason else e.disabled_reason end
  from held b
  cross join lateral (
    select case when ($1 ->> 'sent')::boolean then 0 else b.failure_count + 1 end as failures,
      case when not ($1 ->> 'sent')::boolean then coalesce(b.failing_since, now()) end as since,
      case when ($1 ->> 'gone')::boolean then 'gone'
        when not ($1 ->> 'sent')::boolean and b.failure_count + 1 >= ($1 ->> 'min_failures')::integer
          and b.failing_since <= now() - make_interval(days => ($1 ->> 'max_failing_days')::integer) then 'failing' end as reason
  ) n
  where e.org_id = b.org_id and e.id = b.id
  returning e.org_id, e.id, e.url, e.disabled_reason, b.is_enabled and not e.is_enabled as disabled
), told as (
  insert into public.crm_notifications (org_id, user_id, type, title, body, data)
  select e.org_id, p.id, 'webhook_endpoint_disabled', 'A webhook endpoint was disabled',
    case e.disabled_reason when 'gone' then 'It answered that nobody is there any more (410).'
      else 'It failed for days without one success.' end || ' Nothing is sent to it until somebody enables it again.',
    jsonb_build_object('endpoint_id', e.id, 'url', e.url, 'reason', e.disabled_reason)
  from endpoint e
  join public.profiles p on p.org_id = e.org_id and p.status = 'active'
    and p.role::text in (select jsonb_array_elements_text($1 -> 'roles'))
  where e.disabled
)
select jsonb_build_object('disabled', exists (select from endpoint e where e.disabled))
