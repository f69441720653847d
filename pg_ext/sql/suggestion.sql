revoke all on function fieldcrm.suggest_followups(text) from public;
grant execute on function fieldcrm.suggest_followups(text) to authenticated, service_role;

create or replace function public.crm_suggest_followups(customer_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.suggest_followups(json_build_object('customer_id', customer_id)::text));
end $$;
comment on function public.crm_suggest_followups(uuid) is $$Makes follow-ups of what the facts about a customer suggest: a complaint without an answer, overdue invoices, open quotes, memberships, visit
plans and warranties that end, service that is due, silence. At most five, the most important first; the same facts suggest the same,
so a second call makes nothing. They are accepted and done by crm_update_followup as any other, and dismissed by the status canceled: then
the same fact does not suggest it again. For the customer's owner where that is active staff, else for the caller; due at 9:00 of a working
day of the org's time zone.
Returns {provider: builtin, suggestions: [the columns of crm_followups, and created: whether it is new]}; evidence has provider, rule,
reason, and facts: [{table, id, field, value}].
Needs followups.write, or followups.write_own for one's own customers.
Errors: 400 invalid_argument, 403 forbidden, 403 no_membership, 404 not_found, 409 wrong_state (erased, or merged into merged_into_id).
Example: select crm_suggest_followups(customer_id => '…') -> 'suggestions';$$;

revoke all on function public.crm_suggest_followups(uuid) from public, anon, authenticated, service_role;
grant execute on function public.crm_suggest_followups(uuid) to authenticated, service_role;

revoke all on function fieldcrm.next_actions(text) from public;
grant execute on function fieldcrm.next_actions(text) to authenticated, service_role;

create or replace function public.crm_next_actions(customer_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.next_actions(json_build_object('customer_id', customer_id)::text));
end $$;
comment on function public.crm_next_actions(uuid) is $$What crm_suggest_followups would make follow-ups of, and makes nothing: at most five, the most important first.
Returns {org_id, provider: builtin, actions: [{rule, subject, description, reason, priority, due_at, facts: [{table, id, field, value}]}]}.
Needs followups.write, or followups.write_own for one's own customers.
Errors: 400 invalid_argument, 403 forbidden, 403 no_membership, 404 not_found, 409 wrong_state (erased, or merged into merged_into_id).
Example: select crm_next_actions(customer_id => '…') -> 'actions' -> 0 ->> 'subject';$$;

revoke all on function public.crm_next_actions(uuid) from public, anon, authenticated, service_role;
grant execute on function public.crm_next_actions(uuid) to authenticated, service_role;
