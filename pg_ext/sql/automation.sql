revoke all on function fieldcrm.create_automation_rule(text), fieldcrm.update_automation_rule(text),
    fieldcrm.automation_history(text) from public;
grant execute on function fieldcrm.create_automation_rule(text), fieldcrm.update_automation_rule(text),
    fieldcrm.automation_history(text)
  to authenticated, service_role;

create or replace function public.crm_create_automation_rule(
  name text default null, description text default null, is_enabled boolean default null, trigger_type text default null,
  event_type text default null, time_offset_minutes integer default null, segment_id uuid default null,
  segment_change text default null, conditions jsonb default null, actions jsonb default null, reenrollment text default null,
  cooldown_minutes integer default null, max_lateness_minutes integer default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.create_automation_rule(json_build_object(
    'name', name, 'description', description, 'is_enabled', is_enabled, 'trigger_type', trigger_type, 'event_type', event_type,
    'time_offset_minutes', time_offset_minutes, 'segment_id', segment_id, 'segment_change', segment_change,
    'conditions', conditions, 'actions', actions, 'reenrollment', reenrollment, 'cooldown_minutes', cooldown_minutes,
    'max_lateness_minutes', max_lateness_minutes, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_create_automation_rule(text, text, boolean, text, text, integer, uuid, text, jsonb, jsonb, text, integer,
  integer, text) is
$$Makes a rule: when what happens, and what is done then. docs/automation.md describes triggers, events and actions.
name: 1 to 200 characters; description: 20,000. is_enabled: true by default. trigger_type: event (needs event_type), time_based (needs
time_offset_minutes, counted from event_type, from entering segment_id, or from the customer's creation), segment_membership (needs
segment_id). event_type: such as quote_sent; no_reply needs time_offset_minutes. segment_change: entered (default), left.
conditions: a segment definition (docs/segments.md). actions: 1 to 20 objects. reenrollment: once, per_episode (default), cooldown
(needs cooldown_minutes). max_lateness_minutes: 1440 by default. Minutes go up to 5,256,000.
idempotency_key: the same key and payload again return the first result.
Returns the columns of crm_automation_rules and warnings: [{path, code, message}], what is no mistake for sure: an event that nothing
here writes, conditions that nobody can match, tags that do not exist. Needs automation.write.
Errors: 400 invalid_argument (every wrong field with its path, such as actions[2].due_in_minutes), 403 forbidden,
409 idempotency_key_reused.
Example: select crm_create_automation_rule(name => 'Thanks', trigger_type => 'event', event_type => 'work_order_completed', actions => '[{"type": "create_followup", "title": "Ask how it went", "due_in_minutes": 1440}]');$$;

create or replace function public.crm_update_automation_rule(id uuid, patch jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.update_automation_rule(json_build_object('id', id, 'patch', patch)::text));
end $$;
comment on function public.crm_update_automation_rule(uuid, jsonb) is $$Changes a rule, or enables and disables it.
patch: the arguments of crm_create_automation_rule; absent: left, null: cleared; error paths start inside it. The whole is checked as
there; what it names is looked at again where the patch is about that, or enables the rule. A change of what it does counts version.
Returns the columns of crm_automation_rules and warnings. Needs automation.write.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found.
Example: select crm_update_automation_rule(id => '…', patch => '{"is_enabled": false}');$$;

create or replace function public.crm_automation_history(
  rule_id uuid default null, customer_id uuid default null, status text default null, page_size integer default null,
  cursor text default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.automation_history(json_build_object(
    'rule_id', rule_id, 'customer_id', customer_id, 'status', status, 'page_size', page_size, 'cursor', "cursor")::text));
end $$;
comment on function public.crm_automation_history(uuid, uuid, text, integer, text) is $$What rules did and why they did not, newest first.
rule_id, customer_id, status (pending, success, failed, skipped): only those. page_size: 1 to 100, default 50. cursor: next_cursor of
the page before. Returns {items: the columns of crm_automation_runs with rule_name, next_cursor: null on the last page}.
Needs customers.read. Errors: 400 invalid_argument, 403 forbidden.
Example: select crm_automation_history(status => 'failed', page_size => 20) -> 'items';$$;

revoke all on function public.crm_create_automation_rule(text, text, boolean, text, text, integer, uuid, text, jsonb, jsonb, text,
    integer, integer, text), public.crm_update_automation_rule(uuid, jsonb),
    public.crm_automation_history(uuid, uuid, text, integer, text)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_create_automation_rule(text, text, boolean, text, text, integer, uuid, text, jsonb, jsonb, text,
    integer, integer, text), public.crm_update_automation_rule(uuid, jsonb),
    public.crm_automation_history(uuid, uuid, text, integer, text)
  to authenticated, service_role;
