revoke all on function fieldcrm.score_leads(text) from public;
grant execute on function fieldcrm.score_leads(text) to authenticated, service_role;

create or replace function public.crm_score_leads(lead_ids uuid[] default null, page_size integer default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.score_leads(json_build_object('lead_ids', lead_ids, 'page_size', page_size)::text));
end $$;
comment on function public.crm_score_leads(uuid[], integer) is $$Scores leads from 0 to 100: how likely they are to convert, in percent, by a logistic model. Where the caller
sees at least 50 converted and 50 lost leads, its weights are learned from the latest 2,000 of them, if these do better on what they were
not learned from than those that everybody begins with.
lead_ids: at most 1,000; without them page_size (1 to 1,000, the default) of the open leads that the caller may change, those first that
were never scored, then those that were scored longest ago. Leads that are converted or lost are left as they are.
Writes lead_score, score_reasons and scored_at of leads. Returns {model: {provider: builtin, is_trained, converted, lost: how many outcomes there
were, auc: the area under the ROC curve on outcomes that were held out, or null}, leads: [{id, score, reasons: [{feature, effect: on the
logarithm of the odds, text}], the best first}]}.
For members and admins of the client. Errors: 400 invalid_argument, 403 forbidden (viewers), 403 no_membership, 404 not_found (one of the leads).
Example: select crm_score_leads() -> 'leads' -> 0 ->> 'score';$$;

revoke all on function public.crm_score_leads(uuid[], integer) from public, anon, authenticated, service_role;
grant execute on function public.crm_score_leads(uuid[], integer) to authenticated, service_role;
