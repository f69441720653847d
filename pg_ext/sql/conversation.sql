revoke all on function fieldcrm.create_conversation(text), fieldcrm.update_conversation_stats(text),
  fieldcrm.process_incoming_message(text), fieldcrm.reply_to_conversation(text) from public;
grant execute on function fieldcrm.create_conversation(text), fieldcrm.update_conversation_stats(text),
  fieldcrm.process_incoming_message(text), fieldcrm.reply_to_conversation(text)
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

create or replace function public.crm_reply_to_conversation(
  conversation_id uuid, content text, subject text default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.reply_to_conversation(json_build_object('conversation_id', conversation_id, 'content', content,
    'subject', subject, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_reply_to_conversation(uuid, text, text, text) is $$Answers a lead in a conversation: a message of it, and one in the outbox that goes to the lead's address on its channel.
content: at most 200,000 characters (HTML in an e-mail). subject: of an e-mail (500), else that of the newest one in the conversation with Re:.
idempotency_key: the same key and payload again return the first result.
Who wrote may be answered: only who said stop (or whose address bounced or complained) gets nothing. If the lead became a customer, their
preferences, contact window and opt-in count too. That is asked again when it goes out, at the address the lead has then.
Returns {message_id, outbox_id, conversation_id, status, code, reason, available_at}: status queued (code allowed, or why it waits until
available_at) or refused (code and reason as crm_can_contact has them; the message is kept as failed). What becomes of it the message copies from
the outbox; crm_cancel_message and crm_retry_message take outbox_id. For members and admins of the client.
Errors: 400 invalid_argument (every wrong field with its path), 403 forbidden (viewers), 404 not_found, 409 idempotency_key_reused, 409 wrong_state
(the conversation is closed, the customer was erased).
Example: select crm_reply_to_conversation(conversation_id => '…', content => 'Thursday at ten?');$$;

revoke all on function public.create_conversation(uuid, text), public.update_conversation_stats(uuid),
    public.process_incoming_message(uuid, text, text), public.crm_reply_to_conversation(uuid, text, text, text)
  from public, anon, authenticated, service_role;
grant execute on function public.create_conversation(uuid, text), public.update_conversation_stats(uuid),
    public.process_incoming_message(uuid, text, text), public.crm_reply_to_conversation(uuid, text, text, text)
  to authenticated, service_role;
