-- In: {rules: [{place, org_id, rule_id, version, once, offset_minutes, lateness_minutes, cooldown_minutes}], reasons: {code: text},
-- runs: [{n, rule: place, event_id, skip or null, error_code or null, error_message, matched}]}, the runs of a customer in the
-- order in which things happened. Out: {made: [[rule id, event id, run id, occurrence key]] those that are to act, skipped, failed}.
-- What a rule was skipped for does not count as the one run of a customer: it has the key of its event.
with rule as materialized (
  select r.*
  from jsonb_to_recordset($1 -> 'rules') as r (place integer, org_id uuid, rule_id uuid, version integer, once boolean,
    offset_minutes integer, lateness_minutes integer, cooldown_minutes integer)
), given as materialized (
  select g.n, g.matched, g.error_code, g.error_message, r.org_id, r.rule_id, r.version, r.once, r.offset_minutes, r.cooldown_minutes,
    e.id as event_id, e.customer_id, e.event_type, e.event_key, e.payload, e.occurred_at, e.rule_chain, d.due_at,
    coalesce(g.skip, case when now() > d.due_at + make_interval(mins => r.lateness_minutes) then 'too_late' end) as skip_code
  from jsonb_to_recordset($1 -> 'runs') as g (n integer, rule integer, event_id uuid, skip text, error_code text, error_message text,
    matched jsonb)
  join rule r on r.place = g.rule
  -- Left, so that the planner expects as many as are given.
  left join public.crm_events e on e.org_id = r.org_id and e.id = g.event_id
  cross join lateral (select e.occurred_at + make_interval(mins => r.offset_minutes) as due_at) d
), keyed as (
  select g.*, case when g.once and g.skip_code is null then 'once:' || g.customer_id else 'event:' || g.event_key end as occurrence_key
  from given g
), fresh as materialized (
  select distinct on (k.org_id, k.rule_id, k.occurrence_key) gen_random_uuid() as id, k.*
  from keyed k
  where k.event_id is not null and not exists (
    select from public.crm_automation_runs a
    where a.org_id = k.org_id and a.rule_id = k.rule_id and a.occurrence_key = k.occurrence_key)
  order by k.org_id, k.rule_id, k.occurrence_key, k.n
), first_of_customer as materialized (
  select distinct on (f.org_id, f.rule_id, f.customer_id) f.id, f.org_id, f.rule_id, f.customer_id, f.occurred_at
  from fresh f
  where f.cooldown_minutes is not null and f.skip_code is null and f.error_code is null
  order by f.org_id, f.rule_id, f.customer_id, f.n
), taken as (
  insert into fieldcrm.automation_enrollments as a (org_id, rule_id, customer_id, enrolled_at)
  select f.org_id, f.rule_id, f.customer_id, f.occurred_at from first_of_customer f
  order by f.org_id, f.rule_id, f.customer_id
  on conflict (org_id, rule_id, customer_id) do update set enrolled_at = excluded.enrolled_at
    where a.enrolled_at <= excluded.enrolled_at - make_interval(mins => (
      select r.cooldown_minutes from rule r where r.org_id = a.org_id and r.rule_id = a.rule_id))
  returning a.org_id, a.rule_id, a.customer_id
), decided as materialized (
  select f.*, case
    when f.skip_code is not null or f.error_code is not null or f.cooldown_minutes is null then f.skip_code
    when f.id not in (select x.id from first_of_customer x)
      or (f.org_id, f.rule_id, f.customer_id) not in (select t.org_id, t.rule_id, t.customer_id from taken t) then 'cooldown'
    end as final_skip
  from fresh f
), made as (
  insert into public.crm_automation_runs (id, org_id, rule_id, rule_version, customer_id, event_id, occurrence_key, trigger_context,
    status, due_at, matched, skip_code, skip_reason, error_code, error_message, attempts, rule_chain, completed_at)
  select d.id, d.org_id, d.rule_id, d.version, d.customer_id, d.event_id, d.occurrence_key, jsonb_build_object(
      'event_type', d.event_type, 'event_key', d.event_key, 'occurred_at', d.occurred_at, 'payload', d.payload),
    (case when d.final_skip is not null then 'skipped' when d.error_code is not null then 'failed' else 'pending'
      end)::public.automation_run_status,
    d.due_at, d.matched, d.final_skip, $1 -> 'reasons' ->> d.final_skip,
    case when d.final_skip is null then d.error_code end, case when d.final_skip is null then left(d.error_message, 2000) end,
    case when d.final_skip is null and d.error_code is not null then 1 else 0 end, d.rule_chain,
    case when d.final_skip is not null or d.error_code is not null then now() end
  from decided d
  on conflict (org_id, rule_id, occurrence_key) do nothing
  returning id, rule_id, event_id, occurrence_key, status
)
select jsonb_build_object(
  'made', coalesce((select jsonb_agg(jsonb_build_array(m.rule_id, m.event_id, m.id, m.occurrence_key))
    from made m where m.status = 'pending'), '[]'),
  'skipped', (select count(*) from made m where m.status = 'skipped'),
  'failed', (select count(*) from made m where m.status = 'failed'))
