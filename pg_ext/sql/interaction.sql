revoke all on function fieldcrm.log_interaction(text) from public;
grant execute on function fieldcrm.log_interaction(text) to authenticated, service_role;

create or replace function public.crm_log_interaction(
  customer_id uuid default null, channel text default null, direction text default null, type text default null,
  subject text default null, summary text default null, body text default null, metadata jsonb default null,
  occurred_at timestamptz default null, follow_up_date timestamptz default null, location_id uuid default null,
  related_work_order_id uuid default null, related_quote_id uuid default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.log_interaction(json_build_object(
    'customer_id', customer_id, 'channel', channel, 'direction', direction, 'type', type, 'subject', subject,
    'summary', summary, 'body', body, 'metadata', metadata, 'occurred_at', occurred_at,
    'follow_up_date', follow_up_date, 'location_id', location_id, 'related_work_order_id', related_work_order_id,
    'related_quote_id', related_quote_id, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_log_interaction(uuid, text, text, text, text, text, text, jsonb, timestamptz, timestamptz,
  uuid, uuid, uuid, text) is $$Logs what was said to or by a customer. Interactions are never changed.
channel: phone_inbound, phone_outbound, email_inbound, email_outbound, sms_inbound, sms_outbound, whatsapp_inbound,
whatsapp_outbound, portal_message, note, in_person; of older clients: phone, email, meeting, chat, other.
direction: inbound, outbound, system_generated; by default that of the channel. type: a free label, 100 characters;
subject: 500; summary: 20,000; body: 200,000. metadata: an object of at most 16 KiB and 8 levels.
occurred_at: now by default, at most a day in the future. follow_up_date: also makes a follow-up that is due then.
location_id, related_work_order_id, related_quote_id: of the same customer.
idempotency_key: the same key and payload again return the first result.
Returns the columns of crm_interactions and followup: the one made, or null. Needs interactions.write, or
customers.write_own for one's own customers.
Errors: 400 invalid_argument (every wrong field with its path; unknown_location, unknown_work_order, unknown_quote,
in_future), 403 forbidden, 403 no_membership, 404 not_found (the customer), 409 idempotency_key_reused.
Example: select crm_log_interaction(customer_id => '…', channel => 'phone_inbound', summary => 'Asked for a quote');$$;

revoke all on function public.crm_log_interaction(uuid, text, text, text, text, text, text, jsonb, timestamptz, timestamptz,
    uuid, uuid, uuid, text)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_log_interaction(uuid, text, text, text, text, text, text, jsonb, timestamptz, timestamptz,
    uuid, uuid, uuid, text)
  to authenticated, service_role;
