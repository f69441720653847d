revoke all on function fieldcrm.create_conversation(text), fieldcrm.update_conversation_stats(text),
  fieldcrm.process_incoming_message(text) from public;
grant execute on function fieldcrm.create_conversation(text), fieldcrm.update_conversation_stats(text),
  fieldcrm.process_incoming_message(text)
  to authenticated, service_role;

create or replace function public.create_conversation(lead_id uuid, channel text) returns uuid
language plpgsql set search_path = '' as $$
begin
  return (fieldcrm.unwrap(fieldcrm.create_conversation(json_build_object('lead_id', lead_id, 'channel', channel)::text)) #>> '{}')::uuid;
end $$;
comment on function public.create_conversation(uuid, text) is $$The lead's open conversation on a channel (email, whatsapp, sms), made if there is none; its id. One at a time is open.
For members and admins of the client. Errors: 400 invalid_argument, 403 forbidden (viewers), 404 not_found (the lead).
Example: select create_conversation(lead_id => '…', channel => 'whatsapp');$$;

create or replace function public.update_conversation_stats(conversation_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  perform fieldcrm.unwrap(fieldcrm.update_conversation_stats(json_build_object('conversation_id', conversation_id)::text));
end $$;
comment on function public.update_conversation_stats(uuid) is $$Counts the messages of a conversation anew; a trigger of the same name adds those that come in. For members and admins of the client.
Errors: 403 forbidden (viewers), 404 not_found.
Example: select update_conversation_stats(conversation_id => '…');$$;

create or replace function public.process_incoming_message(lead_id uuid, content text, platform text) returns uuid
language plpgsql set search_path = '' as $$
begin
  return (fieldcrm.unwrap(fieldcrm.process_incoming_message(json_build_object('lead_id', lead_id, 'content', content,
    'platform', platform)::text)) #>> '{}')::uuid;
end $$;
comment on function public.process_incoming_message(uuid, text, text) is $$Writes down what a lead said on a platform (email, whatsapp, sms) in its open conversation, which is made if there is none; the message's id.
Each call is a message: what providers deliver goes through crm_receive_webhook, which knows repeats. Of a customer's lead it is an interaction too.
content: at most 200,000 characters. For members and admins of the client. Errors: 400 invalid_argument, 403 forbidden (viewers), 404 not_found.
Example: select process_incoming_message(lead_id => '…', content => 'Hello', platform => 'sms');$$;

revoke all on function public.create_conversation(uuid, text), public.update_conversation_stats(uuid),
    public.process_incoming_message(uuid, text, text)
  from public, anon, authenticated, service_role;
grant execute on function public.create_conversation(uuid, text), public.update_conversation_stats(uuid),
    public.process_incoming_message(uuid, text, text)
  to authenticated, service_role;
