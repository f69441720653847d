revoke all on function fieldcrm.run_automations(text), fieldcrm.process_segment_automations(text), fieldcrm.process_time_based(text),
    fieldcrm.retry_automation_run(text), fieldcrm.preview_automation(text) from public;
grant execute on function fieldcrm.run_automations(text), fieldcrm.process_segment_automations(text), fieldcrm.process_time_based(text)
  to service_role;
grant execute on function fieldcrm.retry_automation_run(text), fieldcrm.preview_automation(text) to authenticated, service_role;

create or replace function public.crm_run_automations(batch_limit integer default 500) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.run_automations(json_build_object('batch_limit', batch_limit)::text));
end $$;
comment on function public.crm_run_automations(integer) is $$Works off what happened: the enabled rules that hear it check their conditions and act, in this transaction.
For jobs: in the org of app.current_org_id, in all orgs where none is set. batch_limit: 1 to 5,000 events, the oldest first;
call again until events is 0. Any number of jobs may run at once: none waits for another, none acts on what another does, and what
a killed one left the next one does.
Returns {events, enrolled, succeeded, failed, skipped, scheduled}: events worked off, runs that were made and what became of them;
scheduled are those that act later. Customers who do not meet the conditions get no run.
Errors: 400 invalid_argument, 403 forbidden (a signed-in user), 503 unavailable (a deadlock: call again).
Example: select crm_run_automations(batch_limit => 1000);$$;

create or replace function public.crm_process_segment_automations(batch_limit integer default 500) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.process_segment_automations(json_build_object('batch_limit', batch_limit)::text));
end $$;
comment on function public.crm_process_segment_automations(integer) is $$What crm_run_automations does, for customers who entered or left a segment only.
For jobs. batch_limit: 1 to 5,000 events. Returns {events, enrolled, succeeded, failed, skipped, scheduled}.
Errors: 400 invalid_argument, 403 forbidden (a signed-in user), 503 unavailable (a deadlock: call again).
Example: select crm_process_segment_automations(batch_limit => 1000);$$;

create or replace function public.crm_process_time_based(batch_limit integer default 500) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.process_time_based(json_build_object('batch_limit', batch_limit)::text));
end $$;
comment on function public.crm_process_time_based(integer) is $$Lets the runs act whose time has come, the longest due first.
For jobs: in the org of app.current_org_id, in all orgs where none is set. batch_limit: 1 to 5,000 runs; call again until due is 0.
A run is skipped, with its skip_code, if its rule is disabled, it is too late, the customer is archived or closed, no longer meets
the conditions, or, where it waits for no reply, has replied or was written to again.
Returns {due, succeeded, failed, skipped}.
Errors: 400 invalid_argument, 403 forbidden (a signed-in user), 503 unavailable (a deadlock: call again).
Example: select crm_process_time_based(batch_limit => 1000);$$;

create or replace function public.crm_retry_automation_run(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.retry_automation_run(json_build_object('id', id)::text));
end $$;
comment on function public.crm_retry_automation_run(uuid) is $$Does a failed run of an automation rule again, now, as the rule is now.
What it makes has the keys of the first try: nothing is made twice. Returns the columns of crm_automation_runs; a run that fails
again says so in status and error_code, with attempts one higher. Needs automation.write.
Errors: 403 forbidden, 404 not_found, 409 wrong_state (with the status: it did not fail).
Example: select crm_retry_automation_run(id => '…');$$;

create or replace function public.crm_preview_automation(
  rule_id uuid default null, rule jsonb default null, sample_size integer default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.preview_automation(json_build_object(
    'rule_id', rule_id, 'rule', rule, 'sample_size', sample_size)::text));
end $$;
comment on function public.crm_preview_automation(uuid, jsonb, integer) is $$Whom an automation rule would take in, if its event happened now to every customer of the org, or to every member of its segment.
Writes nothing. Either rule_id, or rule: one that is not saved, as crm_create_automation_rule takes it. sample_size: how many customers
to show, 0 to 100, default 20, the newest first.
Returns {considered, would_enroll, sample: [{customer_id, name, matched}], skipped: {code: n}, skipped_sample: [{customer_id, name, code}],
messages: {channel: {code: n}}}. Codes: conditions, closed, archived, already_enrolled, cooldown. matched: what the conditions see,
[{path, result, actual}]. Needs automation.write.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found.
Example: select crm_preview_automation(rule_id => '…') -> 'would_enroll';$$;

revoke all on function public.crm_run_automations(integer), public.crm_process_segment_automations(integer),
    public.crm_process_time_based(integer), public.crm_retry_automation_run(uuid), public.crm_preview_automation(uuid, jsonb, integer)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_run_automations(integer), public.crm_process_segment_automations(integer),
  public.crm_process_time_based(integer) to service_role;
grant execute on function public.crm_retry_automation_run(uuid), public.crm_preview_automation(uuid, jsonb, integer)
  to authenticated, service_role;
