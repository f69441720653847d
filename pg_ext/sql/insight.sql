revoke all on function fieldcrm.interaction_texts(text) from public;
grant execute on function fieldcrm.interaction_texts(text) to authenticated, service_role;

create or replace function public.crm_interaction_texts(customer_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.interaction_texts(json_build_object('customer_id', customer_id)::text));
end $$;
comment on function public.crm_interaction_texts(uuid) is $$What was said to and by a customer, the latest 50 interactions and notes; POST /functions/v1/crm/customers/{id}/insights says what of it matters.
Returns {org_id, total: of all interactions, interactions: [{id, day: in the org's time zone, channel, direction, sentiment, text: the body, else the
summary, else the subject, its first 10,000 characters, or null}]}, the latest first. Writes the reader into crm_access_log.
Needs customers.read.
Errors: 400 invalid_argument, 403 forbidden, 403 no_membership, 404 not_found.
Example: select crm_interaction_texts(customer_id => '…') -> 'interactions' -> 0;$$;

revoke all on function public.crm_interaction_texts(uuid) from public, anon, authenticated, service_role;
grant execute on function public.crm_interaction_texts(uuid) to authenticated, service_role;
