-- In: {runs: [{id, org_id, version, status, results, matched, skip_code, error_code, error_message, attempted}], reasons: {code: text}}.
-- Out: {finished}. attempted: whether the actions were tried. What was skipped is not the one run of a customer any more.
with given as materialized (
  select g.*
  from jsonb_to_recordset($1 -> 'runs') as g (id uuid, org_id uuid, version integer, status public.automation_run_status,
    results jsonb, matched jsonb, skip_code text, error_code text, error_message text, attempted boolean)
), finished as (
  update public.crm_automation_runs a
  set status = g.status, rule_version = g.version, results = g.results, matched = coalesce(g.matched, a.matched),
    skip_code = g.skip_code, skip_reason = $1 -> 'reasons' ->> g.skip_code, error_code = g.error_code,
    error_message = left(g.error_message, 2000),
    occurrence_key = case when g.status = 'skipped' and a.occurrence_key like 'once:%'
      then 'event:' || (a.trigger_context ->> 'event_key') else a.occurrence_key end, attempts = a.attempts + g.attempted::integer, completed_at = now()
  from given g
  where a.org_id = g.org_id and a.id = g.id
  returning 1
)
select jsonb_build_object('finished', (select count(*) from finished))
