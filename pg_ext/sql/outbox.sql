revoke all on function fieldcrm.send_message(text), fieldcrm.claim_messages(text), fieldcrm.complete_message(text),
    fieldcrm.fail_message(text), fieldcrm.mark_message_unknown(text), fieldcrm.record_message_status(text),
    fieldcrm.retry_message(text), fieldcrm.cancel_message(text) from public;
grant execute on function fieldcrm.send_message(text), fieldcrm.claim_messages(text), fieldcrm.complete_message(text),
    fieldcrm.fail_message(text), fieldcrm.mark_message_unknown(text), fieldcrm.record_message_status(text),
    fieldcrm.retry_message(text), fieldcrm.cancel_message(text)
  to authenticated, service_role;

create or replace function public.crm_send_message(
  customer_id uuid, channel text, purpose text, template_id uuid default null, subject text default null, body text default null,
  variables jsonb default null, scheduled_at timestamptz default null, expires_at timestamptz default null,
  contact_id uuid default null, dedupe_key text default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.send_message(json_build_object(
    'customer_id', customer_id, 'channel', channel, 'purpose', purpose, 'template_id', template_id, 'subject', subject,
    'body', body, 'variables', variables, 'scheduled_at', scheduled_at, 'expires_at', expires_at, 'contact_id', contact_id,
    'dedupe_key', dedupe_key, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_send_message(uuid, text, text, uuid, text, text, jsonb, timestamptz, timestamptz, uuid, text, text) is
$$Puts a message to a customer into the outbox, if consent allows it now or later.
channel: email, sms, whatsapp. purpose: transactional or marketing. Either template_id (an e-mail template for email, a text message's
for sms and whatsapp) with variables, or body (200,000 characters; HTML in an e-mail), and for an e-mail subject (500).
scheduled_at: not before; expires_at: not after. contact_id: which address; else the preferred, the primary, the oldest of those that
opted in. dedupe_key: what makes it the same message: if the org has the key already, that message is returned as it is.
idempotency_key: the same key and payload again return the first result.
Returns {id, created, status, code, reason, available_at}: status queued (code allowed, or why it waits until available_at) or refused
(code and reason as crm_can_contact has them; the message is kept). Consent is asked again when it goes out. Needs messages.send.
Errors: 400 invalid_argument (every wrong field with its path; unknown_contact, wrong_channel), 403 forbidden, 404 not_found (customer,
template), 409 idempotency_key_reused, 409 wrong_state (the customer was erased or merged), 422 invalid_template.
Example: select crm_send_message(customer_id => '…', channel => 'sms', purpose => 'transactional', body => 'We are on our way.');$$;

create or replace function public.crm_claim_messages(
  batch_limit integer default 50, lease_seconds integer default 120, providers jsonb default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.claim_messages(json_build_object(
    'batch_limit', batch_limit, 'lease_seconds', lease_seconds, 'providers', providers)::text));
end $$;
comment on function public.crm_claim_messages(integer, integer, jsonb) is $$For jobs: hands out messages that are due, the longest due first, each to one caller, for lease_seconds (1 to 3600).
Over all orgs, or the one in app.current_org_id. batch_limit: 1 to 1000. Of webhooks at most five of each endpoint, the first of
each before the second of any; an endpoint that fails again and again gets one now and then. providers: {channel: name} of who sends; only these channels
are claimed. Consent is asked again: who has withdrawn it gets nothing, and what has to wait waits on.
A lease that ran out: back into the queue where the provider keeps idempotency keys (resend, log, webhook), else unknown.
Returns {messages: [{id, org_id, lease_id, channel, purpose, to, subject, body, payload, provider, attempts, org_name, from: {name, email,
reply_to, phone, whatsapp_phone_number_id}}], deferred, refused, unknown}: how many of the batch did not go; call again until
nothing comes back.
Errors: 400 invalid_argument, 403 forbidden.
Example: select crm_claim_messages(providers => '{"email": "resend", "sms": "twilio"}');$$;

create or replace function public.crm_complete_message(
  id uuid, lease_id uuid, provider_message_id text default null, http_status integer default null, duration_ms integer default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.complete_message(json_build_object(
    'id', id, 'lease_id', lease_id, 'provider_message_id', provider_message_id, 'http_status', http_status,
    'duration_ms', duration_ms)::text));
end $$;
comment on function public.crm_complete_message(uuid, uuid, text, integer, integer) is $$For jobs: the message went out; an interaction with the customer is logged with it.
lease_id: of the claim. provider_message_id: by which the provider's reports name it. http_status and duration_ms: of the answer, kept
where it is that of a webhook endpoint. Said twice it changes nothing.
Returns the columns of crm_outbox. Errors: 403 forbidden, 404 not_found, 409 wrong_state (with the status: another lease, or settled
otherwise).
Example: select crm_complete_message(id => '…', lease_id => '…', provider_message_id => 're_123');$$;

create or replace function public.crm_fail_message(
  id uuid, lease_id uuid, code text default null, message text default null, retryable boolean default true,
  retry_after_seconds integer default null, untried boolean default false, http_status integer default null,
  duration_ms integer default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.fail_message(json_build_object(
    'id', id, 'lease_id', lease_id, 'code', code, 'message', message, 'retryable', retryable,
    'retry_after_seconds', retry_after_seconds, 'untried', coalesce(untried, false), 'http_status', http_status,
    'duration_ms', duration_ms)::text));
end $$;
comment on function public.crm_fail_message(uuid, uuid, text, text, boolean, integer, boolean, integer, integer) is $$For jobs: the message did not go out.
retryable: it is tried again after a wait that doubles from 30 seconds to an hour, with full jitter, or after retry_after_seconds where
that is longer (at most a day), until its attempts are used up; else, and then, it is failed. Webhook endpoints are waited for
longer: docs/webhooks.md. untried: its turn came too late, so it has used no attempt and goes at once. Said twice it changes nothing.
Returns the columns of crm_outbox. Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 wrong_state.
Example: select crm_fail_message(id => '…', lease_id => '…', code => 'http_429', retry_after_seconds => 60);$$;

create or replace function public.crm_mark_message_unknown(id uuid, lease_id uuid, code text default null, message text default null)
returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.mark_message_unknown(json_build_object(
    'id', id, 'lease_id', lease_id, 'code', code, 'message', message)::text));
end $$;
comment on function public.crm_mark_message_unknown(uuid, uuid, text, text) is $$For jobs: nobody knows whether the message went out, such as after a connection that broke behind the request.
It stays unknown until crm_retry_message, a report of the provider, or the holder of the lease says otherwise.
Returns the columns of crm_outbox. Errors: 403 forbidden, 404 not_found, 409 wrong_state.
Example: select crm_mark_message_unknown(id => '…', lease_id => '…', code => 'connection_closed');$$;

create or replace function public.crm_record_message_status(
  provider text, provider_message_id text, status text, code text default null, message text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.record_message_status(json_build_object(
    'provider', provider, 'provider_message_id', provider_message_id, 'status', status, 'code', code, 'message', message)::text));
end $$;
comment on function public.crm_record_message_status(text, text, text, text, text) is $$For jobs and hooks: what a provider reports of a message: sent, delivered, read or failed.
Reports come late, twice and out of order: what does not lead forward changes nothing.
Returns the columns of crm_outbox. Errors: 400 invalid_argument, 403 forbidden, 404 not_found (such as before crm_complete_message named
the id: let the provider try again).
Example: select crm_record_message_status(provider => 'twilio', provider_message_id => 'SM…', status => 'delivered');$$;

create or replace function public.crm_retry_message(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.retry_message(json_build_object('id', id)::text));
end $$;
comment on function public.crm_retry_message(uuid) is $$Puts a message that failed or is unknown back into the queue, with all its attempts; one that waits there already stays.
What is unknown may have gone out: then the customer gets it twice.
Returns the columns of crm_outbox. Needs messages.send. Errors: 403 forbidden, 404 not_found, 409 wrong_state (with the status).
Example: select crm_retry_message(id => '…');$$;

create or replace function public.crm_cancel_message(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.cancel_message(json_build_object('id', id)::text));
end $$;
comment on function public.crm_cancel_message(uuid) is $$Takes a message out of the queue for good; canceled twice is canceled.
Returns the columns of crm_outbox. Needs messages.send. Errors: 403 forbidden, 404 not_found, 409 wrong_state (with the status: it is
being sent, or was).
Example: select crm_cancel_message(id => '…');$$;

revoke all on function public.crm_send_message(uuid, text, text, uuid, text, text, jsonb, timestamptz, timestamptz, uuid, text, text),
    public.crm_claim_messages(integer, integer, jsonb), public.crm_complete_message(uuid, uuid, text, integer, integer),
    public.crm_fail_message(uuid, uuid, text, text, boolean, integer, boolean, integer, integer), public.crm_mark_message_unknown(uuid, uuid, text, text),
    public.crm_record_message_status(text, text, text, text, text), public.crm_retry_message(uuid), public.crm_cancel_message(uuid)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_send_message(uuid, text, text, uuid, text, text, jsonb, timestamptz, timestamptz, uuid, text, text),
    public.crm_claim_messages(integer, integer, jsonb), public.crm_complete_message(uuid, uuid, text, integer, integer),
    public.crm_fail_message(uuid, uuid, text, text, boolean, integer, boolean, integer, integer), public.crm_mark_message_unknown(uuid, uuid, text, text),
    public.crm_record_message_status(text, text, text, text, text), public.crm_retry_message(uuid), public.crm_cancel_message(uuid)
  to authenticated, service_role;
