revoke all on function fieldcrm.message_context(text) from public;
grant execute on function fieldcrm.message_context(text) to authenticated, service_role;

create or replace function public.crm_message_context(customer_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.message_context(json_build_object('customer_id', customer_id)::text));
end $$;
comment on function public.crm_message_context(uuid) is $$What a message to a customer can speak of; POST /functions/v1/crm/customers/{id}/draft-message writes one from it.
Returns {org_id, customer, org, user: their fields as templates have them, facts: {currency, quote: {number, total, sent_on, valid_until}: the one
that was sent last and is not decided, invoice: {number, open, due_on}: the one that is overdue for longest, next_visit: {day, time},
last_visit_on, membership: {name, ends_on}: the active one that ends within 60 days, message: {day, text, sentiment}: what they wrote last, its
first 4,000 characters}}, null for what there is not. Days and times are those of the org's time zone. Writes the reader into crm_access_log.
Needs messages.send.
Errors: 400 invalid_argument, 403 forbidden, 403 no_membership, 404 not_found, 409 wrong_state (erased, or merged into merged_into_id).
Example: select crm_message_context(customer_id => '…') -> 'facts' -> 'quote';$$;

revoke all on function public.crm_message_context(uuid) from public, anon, authenticated, service_role;
grant execute on function public.crm_message_context(uuid) to authenticated, service_role;
