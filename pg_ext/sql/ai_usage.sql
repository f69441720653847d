revoke all on function fieldcrm.reserve_ai(text), fieldcrm.settle_ai(text), fieldcrm.ai_usage(text) from public;
grant execute on function fieldcrm.reserve_ai(text), fieldcrm.settle_ai(text) to service_role;
grant execute on function fieldcrm.ai_usage(text) to authenticated, service_role;

create or replace function public.crm_reserve_ai(
  org_id uuid, feature text, provider text, model text, estimated_micros bigint
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.reserve_ai(json_build_object('org_id', org_id, 'feature', feature, 'provider', provider, 'model', model,
    'estimated_micros', estimated_micros)::text));
end $$;
comment on function public.crm_reserve_ai(uuid, text, text, text, bigint) is $$Charges an org's budget of this month (UTC) with a question to a model, before it is asked. feature: segment, sentiment, suggestion,
lead_score, draft, insight or assistant (which has ai_settings.assistant_percent of the budget); estimated_micros: the most it may cost, in millionths of a US dollar. Returns {id: for crm_settle_ai, null
where the org wants no model outside, is_enabled, redact: whether what tells people apart is to be taken out of it}. For the service role.
Errors: 400 invalid_argument, 403 forbidden (a signed-in user), 404 not_found, 429 ai_budget_spent.
Example: select crm_reserve_ai(org_id => '…', feature => 'draft', provider => 'openai', model => 'gpt-4o-mini', estimated_micros => 600);$$;

create or replace function public.crm_settle_ai(
  org_id uuid, id uuid, input_tokens integer, output_tokens integer, cost_micros bigint
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.settle_ai(json_build_object('org_id', org_id, 'id', id, 'input_tokens', input_tokens,
    'output_tokens', output_tokens, 'cost_micros', cost_micros)::text));
end $$;
comment on function public.crm_settle_ai(uuid, uuid, integer, integer, bigint) is $$Says what a question did cost, in millionths of a US dollar; a second time changes nothing. One that is never settled counts as
estimated. Returns {id}. For the service role. Errors: 400 invalid_argument, 403 forbidden (a signed-in user), 404 not_found.
Example: select crm_settle_ai(org_id => '…', id => '…', input_tokens => 900, output_tokens => 120, cost_micros => 207);$$;

create or replace function public.crm_ai_usage(month text default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.ai_usage(json_build_object('month', month)::text));
end $$;
comment on function public.crm_ai_usage(text) is $$What models outside did cost in a month (2026-11; null: this one, UTC). Returns {month, budget_micros, spent_micros, features: [{feature,
provider, model, questions, input_tokens, output_tokens, cost_micros}]}, in millionths of a US dollar. Needs org.manage.
Errors: 400 invalid_argument, 403 forbidden.
Example: select crm_ai_usage(month => '2026-11');$$;

revoke all on function public.crm_reserve_ai(uuid, text, text, text, bigint),
    public.crm_settle_ai(uuid, uuid, integer, integer, bigint),
    public.crm_ai_usage(text)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_reserve_ai(uuid, text, text, text, bigint),
    public.crm_settle_ai(uuid, uuid, integer, integer, bigint)
  to service_role;
grant execute on function public.crm_ai_usage(text) to authenticated, service_role;
