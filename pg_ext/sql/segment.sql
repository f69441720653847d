revoke all on function fieldcrm.segment_validate(text), fieldcrm.segment_sql(text), fieldcrm.segment_preview(text),
    fieldcrm.segment_explain(text), fieldcrm.segment_matches(text), fieldcrm.segment_fields(text),
    fieldcrm.segment_aggregates(text), fieldcrm.segment_vocabulary(text),
    fieldcrm.create_segment(text), fieldcrm.update_segment(text), fieldcrm.recompute_segment(text),
    fieldcrm.recompute_due_segments(text), fieldcrm.segment_add_members(text), fieldcrm.segment_remove_members(text) from public;
grant execute on function fieldcrm.segment_validate(text), fieldcrm.segment_sql(text), fieldcrm.segment_preview(text),
    fieldcrm.segment_explain(text), fieldcrm.segment_matches(text), fieldcrm.segment_fields(text),
    fieldcrm.segment_aggregates(text), fieldcrm.segment_vocabulary(text),
    fieldcrm.create_segment(text), fieldcrm.update_segment(text), fieldcrm.recompute_segment(text),
    fieldcrm.recompute_due_segments(text), fieldcrm.segment_add_members(text), fieldcrm.segment_remove_members(text)
  to authenticated, service_role;

create or replace function public.crm_segment_validate(definition jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.segment_validate(json_build_object('definition', definition)::text));
end $$;
comment on function public.crm_segment_validate(jsonb) is $$Checks the rules of a segment; docs/segments.md is their language.
Returns {ok, errors: [{path, code, message}], warnings, sentence}: every error at once; warnings are tags that do not exist and
rules that nobody can match together. Needs customers.read. Errors: 403 forbidden.
Example: select crm_segment_validate(definition => '{"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [{"field": "status", "operator": "=", "value": "active"}]}}');$$;

create or replace function public.crm_segment_sql(definition jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.segment_sql(json_build_object('definition', definition)::text));
end $$;
comment on function public.crm_segment_sql(jsonb) is $$What the rules of a segment run as, for who wants to look at the plan.
Returns {text, parameters, sentence}: text has one parameter, $1 jsonb, and no value in it. Needs customers.read.
Errors: 400 invalid_argument (every mistake with its path), 403 forbidden.
Example: select crm_segment_sql(definition => '{"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [{"field": "city", "operator": "in", "value": "London, York"}]}}') ->> 'text';$$;

create or replace function public.crm_segment_preview(definition jsonb, sample_size integer default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.segment_preview(json_build_object('definition', definition, 'sample_size', sample_size)::text));
end $$;
comment on function public.crm_segment_preview(jsonb, integer) is $$Whom the rules match now, without storing anything.
sample_size: how many customers to show, 0 to 100, default 20, the newest first.
Returns {count, sample: [{id, name, email, phone, status}], cost (the planner's), sentence}. Needs customers.read.
Errors: 400 invalid_argument, 403 forbidden, 422 segment_too_costly.
Example: select crm_segment_preview(definition => '{"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [{"field": "tags", "operator": "containsAny", "value": ["VIP"]}]}}') -> 'count';$$;

create or replace function public.crm_segment_explain(customer_id uuid, definition jsonb default null, segment_id uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.segment_explain(json_build_object(
    'customer_id', customer_id, 'definition', definition, 'segment_id', segment_id)::text));
end $$;
comment on function public.crm_segment_explain(uuid, jsonb, uuid) is $$Why a customer matches a definition or a stored segment, or does not.
Returns {matches, is_archived, sentence, tree}: tree is the query with result, and at each rule actual and wanted; for a segment
without rules {matches, sentence, tree: null}. Needs customers.read.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found.
Example: select crm_segment_explain(customer_id => '…', segment_id => '…');$$;

create or replace function public.crm_segment_matches(segment_id uuid, customer_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.segment_matches(json_build_object('segment_id', segment_id, 'customer_id', customer_id)::text));
end $$;
comment on function public.crm_segment_matches(uuid, uuid) is $$Whether a customer matches a segment now: by its rules, or by membership where it has none.
Returns {matches}. Needs customers.read. Errors: 403 forbidden, 404 not_found.
Example: select crm_segment_matches(segment_id => '…', customer_id => '…');$$;

create or replace function public.crm_segment_fields() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.segment_fields('{}'));
end $$;
comment on function public.crm_segment_fields() is $$What rules can name, for a rule builder.
Returns {fields: [{name, label, type, operators, values}], related: [{name, label, operators, match_modes, aggregates, fields}],
json_schema}, with the tags, products and segments of the org as values. Needs customers.read. Errors: 403 forbidden.
Example: select crm_segment_fields();$$;

create or replace function public.crm_segment_aggregates() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.segment_aggregates('{}'));
end $$;
comment on function public.crm_segment_aggregates() is $$What a model is told of the customers before it proposes rules: counts and averages, no customer by itself.
Returns {currency, customers, averages: {total_spend, balance_due, jobs_count, interactions_count}, by: {status, type, lifecycle_stage,
pipeline_stage, source, city, state, country, tags: [{value, customers, averages}]}}, the largest 50 of each. Archived customers are left out,
averages of fewer than 5 customers too (null), and cities, sources and tags that fewer than 5 have. Amounts are in the org's currency.
Needs segments.write. Errors: 403 forbidden.
Example: select crm_segment_aggregates() -> 'by' -> 'city';$$;

create or replace function public.crm_segment_vocabulary() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.segment_vocabulary('{}'));
end $$;
comment on function public.crm_segment_vocabulary() is $$The org's own names that a sentence about customers can have, for the builtin segmentation (docs/segments.md, From a sentence).
Returns {today (in the org's time zone), me, currency, tags, cities, states, countries, sources, service_types, products, segments,
people: [{id, name}]}, up to 2,000 of each, the most used first. Needs segments.write. Errors: 403 forbidden.
Example: select crm_segment_vocabulary() -> 'cities';$$;

create or replace function public.crm_create_segment(
  name text default null, type text default null, description text default null, definition jsonb default null,
  ai_prompt text default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.create_segment(json_build_object(
    'name', name, 'type', type, 'description', description, 'definition', definition, 'ai_prompt', ai_prompt,
    'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_create_segment(text, text, text, jsonb, text, text) is $$Creates a segment and computes its members if it has rules.
name: unique in the org. type: static (members are put in by hand), rule_based (needs a definition), ai_generated (needs ai_prompt,
may have a definition). idempotency_key: the same key and payload again return the first result.
Returns the segment's columns with computed: {added, removed, total}. Needs segments.write.
Errors: 400 invalid_argument (every wrong field with its path; cycles), 403 forbidden, 409 conflict (the name is taken),
409 idempotency_key_reused.
Example: select crm_create_segment(name => 'VIP', type => 'rule_based', definition => '{"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [{"field": "tags", "operator": "containsAny", "value": "VIP"}]}}');$$;

create or replace function public.crm_update_segment(id uuid, patch jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.update_segment(json_build_object('id', id, 'patch', patch)::text));
end $$;
comment on function public.crm_update_segment(uuid, jsonb) is $$Changes what the patch names: name, type, description, definition, ai_prompt, ai_explanation, is_active; with
version only if the segment still has it. A new definition or prompt is a new version (crm_segment_versions); a new definition is
computed, and ai_explanation of the old one goes; a segment that becomes rule_based or static keeps no ai_prompt.
Returns the segment's columns, with computed if it was. Needs segments.write.
Errors: 400 invalid_argument (code cycle: with the names along it), 403 forbidden, 404 not_found, 409 conflict (the name is
taken, or rules of other segments use the old one; another version).
Example: select crm_update_segment(id => '…', patch => '{"is_active": false}');$$;

create or replace function public.crm_recompute_segment(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.recompute_segment(json_build_object('id', id)::text));
end $$;
comment on function public.crm_recompute_segment(uuid) is $$Makes the members what the rules say now, touching the difference only; who enters or leaves makes an event (crm_events).
Returns {added, removed, total}. Needs segments.write.
Errors: 400 invalid_argument (a rule names what is gone), 403 forbidden, 404 not_found, 422 rule_broken (there are no rules).
Example: select crm_recompute_segment(id => '…');$$;

create or replace function public.crm_recompute_due_segments(batch_limit integer default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.recompute_due_segments(json_build_object('batch_limit', batch_limit)::text));
end $$;
comment on function public.crm_recompute_due_segments(integer) is $$For jobs: recomputes the active segments that are due, the longest due first, each after those it depends on; what another session
computes is left to it. Over all orgs, or the one in app.current_org_id. batch_limit: 1 to 1000, default 20.
Returns {segments: [{segment_id, added, removed, total} | {segment_id, error}]}. Errors: 400 invalid_argument, 403 forbidden.
Example: select crm_recompute_due_segments(batch_limit => 50);$$;

create or replace function public.crm_segment_add_members(segment_id uuid, customer_ids jsonb, scores jsonb default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.segment_add_members(json_build_object(
    'segment_id', segment_id, 'customer_ids', customer_ids, 'scores', scores)::text));
end $$;
comment on function public.crm_segment_add_members(uuid, jsonb, jsonb) is $$Puts customers into a segment by hand, at most 10,000 in one call; who is in already stays, with the new score.
customer_ids: [id]. scores: [number or null], one for each. Returns {added, removed, not_found: [id]}. Needs segments.write.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 wrong_state (the segment is rule_based).
Example: select crm_segment_add_members(segment_id => '…', customer_ids => '["…"]', scores => '[0.9]');$$;

create or replace function public.crm_segment_remove_members(segment_id uuid, customer_ids jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.segment_remove_members(json_build_object('segment_id', segment_id, 'customer_ids', customer_ids)::text));
end $$;
comment on function public.crm_segment_remove_members(uuid, jsonb) is $$Takes customers out of a segment, at most 10,000 in one call.
customer_ids: [id]. Returns {added, removed, not_found: [id]}: those who were no members. Needs segments.write.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 wrong_state (the segment is rule_based).
Example: select crm_segment_remove_members(segment_id => '…', customer_ids => '["…"]');$$;

revoke all on function public.crm_segment_validate(jsonb), public.crm_segment_sql(jsonb), public.crm_segment_preview(jsonb, integer),
    public.crm_segment_explain(uuid, jsonb, uuid), public.crm_segment_matches(uuid, uuid),
    public.crm_segment_fields(), public.crm_segment_aggregates(), public.crm_segment_vocabulary(),
    public.crm_create_segment(text, text, text, jsonb, text, text),
    public.crm_update_segment(uuid, jsonb), public.crm_recompute_segment(uuid),
    public.crm_recompute_due_segments(integer), public.crm_segment_add_members(uuid, jsonb, jsonb),
    public.crm_segment_remove_members(uuid, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_segment_validate(jsonb), public.crm_segment_sql(jsonb), public.crm_segment_preview(jsonb, integer),
    public.crm_segment_explain(uuid, jsonb, uuid), public.crm_segment_matches(uuid, uuid),
    public.crm_segment_fields(), public.crm_segment_aggregates(), public.crm_segment_vocabulary(),
    public.crm_create_segment(text, text, text, jsonb, text, text),
    public.crm_update_segment(uuid, jsonb), public.crm_recompute_segment(uuid),
    public.crm_segment_add_members(uuid, jsonb, jsonb), public.crm_segment_remove_members(uuid, jsonb)
  to authenticated, service_role;
grant execute on function public.crm_recompute_due_segments(integer) to service_role;
