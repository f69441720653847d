revoke all on function fieldcrm.receive_webhook(text) from public;
grant execute on function fieldcrm.receive_webhook(text)
  to authenticated, service_role;

create or replace function public.crm_receive_webhook(provider text, channel text, address text, events jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.receive_webhook(json_build_object('provider', provider, 'channel', channel,
    'address', address, 'events', events)::text));
end $$;
comment on function public.crm_receive_webhook(text, text, text, jsonb) is $$Takes what a provider delivered at an address, after its signature was checked: each event once, with what it means, in one transaction.
events: at most 1,000 of {id, type: message, status, reaction, opt_out, opt_in, bounce, complaint, unknown; from, from_name, content, subject,
provider_message_id, in_reply_to, references, occurred_at, status: sent, delivered, read, failed; error_code, error_message, address, metadata, raw}.
A sender is matched by e-mail or phone (in its national spellings) to a lead of the org, of the routed project first, or to a customer; whoever
is unknown becomes a lead. Where the channel has no project a customer's message is an interaction, a stranger's is kept (no_project). A repeat
changes nothing. What cannot be understood is kept. metadata.attachments: [{file_name, content_type, size_bytes, object_name: in the bucket
attachments, <org id>/inbound/…, stored before}]; of a customer they are rows of attachments.
Returns {routed: false}, or {routed: true, events: [{id, outcome: message, interaction, no_project, status, opt_out, opt_in, bounce, complaint,
ignored, unknown; created, lead_created, lead_id, conversation_id, message_id, interaction_id}]}. For the service role; over all orgs unless app.current_org_id selects one.
Errors: 400 invalid_argument, 403 forbidden (a signed-in user), 503 unavailable (another session has the same event: deliver again).
Example: select crm_receive_webhook(provider => 'twilio', channel => 'sms', address => '+15005550006',
  events => '[{"id": "SM1", "type": "message", "from": "+14155552671", "content": "Hello", "provider_message_id": "SM1"}]');$$;

revoke all on function public.crm_receive_webhook(text, text, text, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_receive_webhook(text, text, text, jsonb)
  to authenticated, service_role;
