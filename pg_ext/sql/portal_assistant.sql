revoke all on function fieldcrm.portal_start_ai_conversation(text), fieldcrm.portal_list_ai_conversations(text), fieldcrm.portal_get_ai_conversation(text),
  fieldcrm.portal_add_ai_message(text), fieldcrm.portal_ai_context(text), fieldcrm.portal_store_ai_answer(text),
  fieldcrm.portal_escalate_ai_conversation(text) from public;
grant execute on function fieldcrm.portal_start_ai_conversation(text), fieldcrm.portal_list_ai_conversations(text), fieldcrm.portal_get_ai_conversation(text),
  fieldcrm.portal_add_ai_message(text), fieldcrm.portal_ai_context(text), fieldcrm.portal_escalate_ai_conversation(text) to authenticated;
grant execute on function fieldcrm.portal_store_ai_answer(text) to service_role;

create or replace function public.portal_start_ai_conversation(
  context_type text default null, related_work_order_id uuid default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_start_ai_conversation(json_build_object(
    'context_type', context_type, 'related_work_order_id', related_work_order_id, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.portal_start_ai_conversation(text, uuid, text) is
$$Begins a conversation with the assistant. context_type: general_support (default), pre_booking, active_job or billing_question;
related_work_order_id: a visit that the account sees. idempotency_key: the same key and payload again return the first result. At most 20 in an hour.
Returns {id, context_type, status, customer_id, related_work_order_id, thread_id, started_at, ended_at, messages: [{id, role, content, created_at}]}, the
first message being what the assistant is and is not.
Errors: 400 invalid_argument (unknown_work_order), 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 409 idempotency_key_reused,
422 rule_broken (reason conversations_per_hour).
Example: select portal_start_ai_conversation(context_type => 'billing_question');$$;

create or replace function public.portal_list_ai_conversations(
  status text default null, page_size integer default null, cursor text default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_list_ai_conversations(json_build_object(
    'status', status, 'page_size', page_size, 'cursor', cursor)::text));
end $$;
comment on function public.portal_list_ai_conversations(text, integer, text) is
$$The account's own conversations with the assistant, the newest first: {items: [{id, context_type, status, customer_id, related_work_order_id,
thread_id, started_at, ended_at, last_question}], next_cursor}. status: active, ended, escalated. page_size: 1 to 100, default 50.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive.
Example: select portal_list_ai_conversations(status => 'active');$$;

create or replace function public.portal_get_ai_conversation(conversation_id uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_get_ai_conversation(json_build_object('conversation_id', conversation_id)::text));
end $$;
comment on function public.portal_get_ai_conversation(uuid) is
$$A conversation of the account with the assistant, as portal_start_ai_conversation returns it, with all its messages, the oldest first; an answer
(role assistant) also has answers_message_id, citations: [{slug, title, chunk_index, heading, sentence}], refused, provider and model.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 404 not_found.
Example: select portal_get_ai_conversation(conversation_id => '…');$$;

create or replace function public.portal_add_ai_message(
  conversation_id uuid default null, content text default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_add_ai_message(json_build_object(
    'conversation_id', conversation_id, 'content', content, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.portal_add_ai_message(uuid, text, text) is
$$Adds a question to a conversation; POST /portal/ai/conversations/{id}/messages calls this and answers it. content: 1 to 2,000 characters; at most 50
questions in a conversation, 60 of an account in an hour and 150 in 24 hours. idempotency_key: the same key and payload again return the first result.
Returns {id, conversation_id, role, content, created_at}.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 404 not_found, 409 idempotency_key_reused,
409 wrong_state (the conversation is over), 422 rule_broken (reason questions_per_conversation, questions_per_hour, questions_per_day).
Example: select portal_add_ai_message(conversation_id => '…', content => 'How do I bleed a radiator?');$$;

create or replace function public.portal_ai_context(message_id uuid default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_ai_context(json_build_object('message_id', message_id)::text));
end $$;
comment on function public.portal_ai_context(uuid) is
$$What the assistant may know to answer a question of the account: {org_id, conversation_id, question, answer (null: none yet), asks_model, history:
[{role, content}], visits, bookings, invoices}. Without an answer it begins one; asks_model is true three times a question. Only of the conversation's customer and what the account sees of it: visits to come, of the last 30 days and the one it is
about; open booking requests; bills with something to pay. At most ten of each.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 404 not_found.
Example: select portal_ai_context(message_id => '…');$$;

create or replace function public.portal_store_ai_answer(
  org_id uuid, conversation_id uuid, message_id uuid, content text, refused boolean, citations jsonb, provider text, model text default null,
  input_tokens integer default null, output_tokens integer default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_store_ai_answer(json_build_object('org_id', org_id, 'conversation_id', conversation_id, 'message_id', message_id,
    'content', content, 'refused', refused, 'citations', citations, 'provider', provider, 'model', model, 'input_tokens', input_tokens,
    'output_tokens', output_tokens)::text));
end $$;
comment on function public.portal_store_ai_answer(uuid, uuid, uuid, text, boolean, jsonb, text, text, integer, integer) is
$$Stores the assistant's answer to a question (message_id). A question has one answer: a second time the first one is returned. content: at most 8,000
characters; refused: whether nothing was found; citations: [{slug, title, chunk_index, heading, sentence}], at most 10; provider: builtin or the model's,
with model and tokens. Returns {id, role, content, created_at, answers_message_id, citations, refused, provider, model}. For the service role.
Errors: 400 invalid_argument, 403 forbidden (a signed-in user), 404 not_found, 409 wrong_state (the conversation is over).
Example: select portal_store_ai_answer(org_id => '…', conversation_id => '…', message_id => '…', content => 'Close the valve.', refused => false,
  citations => '[{"slug": "valve", "title": "The valve", "chunk_index": 0}]', provider => 'builtin');$$;

create or replace function public.portal_escalate_ai_conversation(conversation_id uuid default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_escalate_ai_conversation(json_build_object('conversation_id', conversation_id)::text));
end $$;
comment on function public.portal_escalate_ai_conversation(uuid) is
$$Hands a conversation over to staff: a thread (portal_list_threads) that begins with what was said, of which staff are told as of any other. The
conversation is over then; a second time it is the same thread.
Returns {id, context_type, status, customer_id, related_work_order_id, thread_id, started_at, ended_at}.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 404 not_found, 409 wrong_state (it has ended).
Example: select portal_escalate_ai_conversation(conversation_id => '…');$$;

revoke all on function public.portal_start_ai_conversation(text, uuid, text), public.portal_list_ai_conversations(text, integer, text),
  public.portal_get_ai_conversation(uuid), public.portal_add_ai_message(uuid, text, text), public.portal_ai_context(uuid),
  public.portal_store_ai_answer(uuid, uuid, uuid, text, boolean, jsonb, text, text, integer, integer),
  public.portal_escalate_ai_conversation(uuid) from public, anon, authenticated, service_role;
grant execute on function public.portal_start_ai_conversation(text, uuid, text), public.portal_list_ai_conversations(text, integer, text),
  public.portal_get_ai_conversation(uuid), public.portal_add_ai_message(uuid, text, text), public.portal_ai_context(uuid),
  public.portal_escalate_ai_conversation(uuid) to authenticated;
grant execute on function public.portal_store_ai_answer(uuid, uuid, uuid, text, boolean, jsonb, text, text, integer, integer) to service_role;
