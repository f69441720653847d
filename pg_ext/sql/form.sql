revoke all on function fieldcrm.submit_form(text) from public;
grant execute on function fieldcrm.submit_form(text)
  to authenticated, service_role;

create or replace function public.crm_submit_form(
  form_key text, fields jsonb, submission_id text default null, source text default null, received_at timestamptz default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.submit_form(json_build_object('form_key', form_key, 'fields', fields,
    'submission_id', submission_id, 'source', source, 'received_at', received_at)::text));
end $$;
comment on function public.crm_submit_form(text, jsonb, text, text, timestamptz) is $$Takes what somebody filled in on a landing page: makes a lead in the form's project, or fills in what was not known of an open one with the same
e-mail or phone. fields: an object; the channel's settings say what they mean, the usual names need no saying; the rest is kept in custom_fields,
utm_ parameters under utm. submission_id: a repeat changes nothing; without it, the same fields on the same day are a repeat. source: who sends,
for the rate limit (settings.max_per_minute, default 10).
Returns {outcome: lead, ignored (a robot), unknown (nobody to know by; kept), rate_limited; lead_id, created: whether the lead is new}.
For the service role. Errors: 400 invalid_argument, 403 forbidden (a signed-in user), 404 not_found (no such form, or it is off), 503 unavailable.
Example: select crm_submit_form(form_key => 'form_0123456789abcdef', fields => '{"name": "Ada", "email": "ada@example.com"}', submission_id => '1');$$;

revoke all on function public.crm_submit_form(text, jsonb, text, text, timestamptz)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_submit_form(text, jsonb, text, text, timestamptz)
  to authenticated, service_role;
