revoke all on function fieldcrm.portal_create_thread(text), fieldcrm.portal_list_threads(text),
  fieldcrm.portal_list_messages(text), fieldcrm.portal_send_message(text), fieldcrm.portal_mark_thread_read(text),
  fieldcrm.create_portal_thread(text), fieldcrm.list_portal_threads(text), fieldcrm.get_portal_thread(text),
  fieldcrm.reply_to_portal_thread(text), fieldcrm.mark_portal_thread_read(text), fieldcrm.update_portal_thread(text) from
  public;
grant execute on function fieldcrm.portal_create_thread(text), fieldcrm.portal_list_threads(text),
  fieldcrm.portal_list_messages(text), fieldcrm.portal_send_message(text), fieldcrm.portal_mark_thread_read(text) to
  authenticated;
grant execute on function fieldcrm.create_portal_thread(text), fieldcrm.list_portal_threads(text),
  fieldcrm.get_portal_thread(text), fieldcrm.reply_to_portal_thread(text), fieldcrm.mark_portal_thread_read(text),
  fieldcrm.update_portal_thread(text) to authenticated, service_role;

create or replace function public.portal_create_thread(
  subject text default null, initial_message text default null, related_work_order_id uuid default null, location_id uuid
  default null, attachments jsonb default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_create_thread(json_build_object(
    'subject', subject, 'initial_message', initial_message, 'related_work_order_id', related_work_order_id, 'location_id',
    location_id, 'attachments', attachments, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.portal_create_thread(text, text, uuid, uuid, jsonb, text) is
$$Begins a thread with a message to the office. subject: 1 to 200 characters; initial_message: at most 10,000. related_work_order_id, location_id: what it
is about, of what the account sees; the thread is of its customer, without one of the account's own.
attachments: [{object_name, file_name, content_type, size_bytes}], at most 20, uploaded before to <org id>/portal/<account id>/ of the bucket attachments. A message
is text, files or both. idempotency_key: the same key and payload again return the first result.
Returns {id, subject, status, customer_id, location_id, related_work_order_id, message}. The message is copied to crm_interactions.
Errors: 400 invalid_argument (unknown_work_order, unknown_location), 401 unauthenticated, 403 no_membership, 403 portal_account_inactive,
409 idempotency_key_reused.
Example: select portal_create_thread(subject => 'Boiler', initial_message => 'It leaks again.');$$;

create or replace function public.portal_list_threads(
  status text default null, page_size integer default null, cursor text default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_list_threads(json_build_object(
    'status', status, 'page_size', page_size, 'cursor', cursor)::text));
end $$;
comment on function public.portal_list_threads(text, integer, text) is
$$The threads that the account sees, the latest word first: {items: [{id, subject, status, customer_id, location_id, related_work_order_id,
last_message_at, created_at, last_message: {sender_type, excerpt}, unread_count}], next_cursor}. status: open, pending_customer, pending_internal,
closed. page_size: 1 to 100, default 50.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive.
Example: select portal_list_threads(status => 'pending_customer');$$;

create or replace function public.portal_list_messages(
  thread_id uuid default null, page_size integer default null, cursor text default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_list_messages(json_build_object('thread_id', thread_id, 'page_size', page_size, 'cursor', cursor)::text));
end $$;
comment on function public.portal_list_messages(uuid, integer, text) is
$$The messages of a thread, the newest first: {items: [{id, sender: {type, name, avatar_url, is_own}, body, attachments, sent_at, read_at}], next_cursor}.
read_at: when the other side first read it. page_size: 1 to 100, default 50.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 404 not_found.
Example: select portal_list_messages(thread_id => '…');$$;

create or replace function public.portal_send_message(
  thread_id uuid default null, body text default null, attachments jsonb default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_send_message(json_build_object(
    'thread_id', thread_id, 'body', body, 'attachments', attachments, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.portal_send_message(uuid, text, jsonb, text) is
$$Writes to the office. A closed thread is open again. The arguments are those of portal_create_thread.
Returns {id, thread_id, customer_id, body, attachments, sent_at, read_at, status}, the status of the thread.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 404 not_found, 409 idempotency_key_reused.
Example: select portal_send_message(thread_id => '…', body => 'Thank you!');$$;

create or replace function public.portal_mark_thread_read(thread_id uuid default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_mark_thread_read(json_build_object(
    'thread_id', thread_id)::text));
end $$;
comment on function public.portal_mark_thread_read(uuid) is
$$What the office wrote in the thread is read. Returns {read}: how much of it was new.
Errors: 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 404 not_found.
Example: select portal_mark_thread_read(thread_id => '…');$$;

create or replace function public.crm_create_portal_thread(
  customer_id uuid default null, subject text default null, body text default null, related_work_order_id uuid default null,
  location_id uuid default null, attachments jsonb default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.create_portal_thread(json_build_object('customer_id', customer_id, 'subject', subject, 'body', body, 'related_work_order_id', related_work_order_id, 'location_id',
    location_id, 'attachments', attachments, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_create_portal_thread(uuid, text, text, uuid, uuid, jsonb, text) is
$$Begins a thread with a customer in the portal. related_work_order_id, location_id: of that customer. attachments: as for portal_create_thread, below
<org id>/<customer id>/. Needs messages.send; technicians (work_orders.perform) write about one of their own visits.
Returns the thread as crm_get_portal_thread does, with its first message. A back end writes as the system, and it is nobody's turn.
Errors: 400 invalid_argument (unknown_work_order, unknown_location), 403 forbidden, 403 no_membership, 404 not_found, 409 idempotency_key_reused.
Example: select crm_create_portal_thread(customer_id => '…', subject => 'Your boiler', body => 'The part is here.');$$;

create or replace function public.crm_list_portal_threads(
  status text default null, customer_id uuid default null, assigned_to uuid default null, page_size integer default null, cursor
  text default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.list_portal_threads(json_build_object(
    'status', status, 'customer_id', customer_id, 'assigned_to', assigned_to, 'page_size', page_size, 'cursor', cursor)::text));
end $$;
comment on function public.crm_list_portal_threads(text, uuid, uuid, integer, text) is
$$Threads with customers, the latest word first: {items: [{id, subject, status, customer: {id, name}, location_id, related_work_order_id,
assigned_to_user_id, last_message_at, created_at, last_message, unread_count: of what customers wrote}], next_cursor}. Needs messages.send; technicians
(work_orders.perform) get those of their own visits.
Errors: 400 invalid_argument, 403 forbidden, 403 no_membership.
Example: select crm_list_portal_threads(status => 'pending_internal');$$;

create or replace function public.crm_get_portal_thread(
  thread_id uuid default null, page_size integer default null, cursor text default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.get_portal_thread(json_build_object(
    'thread_id', thread_id, 'page_size', page_size, 'cursor', cursor)::text));
end $$;
comment on function public.crm_get_portal_thread(uuid, integer, text) is
$$A thread with a page of its messages, the newest first: {id, subject, status, customer, …, messages: {items, next_cursor}}. Reading marks nothing as read.
Needs messages.send; technicians (work_orders.perform) get those of their own visits.
Errors: 400 invalid_argument, 403 forbidden, 403 no_membership, 404 not_found.
Example: select crm_get_portal_thread(thread_id => '…');$$;

create or replace function public.crm_reply_to_portal_thread(
  thread_id uuid default null, body text default null, attachments jsonb default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.reply_to_portal_thread(json_build_object(
    'thread_id', thread_id, 'body', body, 'attachments', attachments, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_reply_to_portal_thread(uuid, text, jsonb, text) is
$$Answers a customer. The arguments are those of crm_create_portal_thread. Needs messages.send; technicians (work_orders.perform) answer in the threads of
their own visits. Returns {id, thread_id, customer_id, body, attachments, sent_at, read_at, status}, the status of the thread.
Errors: 400 invalid_argument, 403 forbidden, 403 no_membership, 404 not_found, 409 idempotency_key_reused.
Example: select crm_reply_to_portal_thread(thread_id => '…', body => 'We come on Monday.');$$;

create or replace function public.crm_mark_portal_thread_read(thread_id uuid default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.mark_portal_thread_read(json_build_object(
    'thread_id', thread_id)::text));
end $$;
comment on function public.crm_mark_portal_thread_read(uuid) is
$$What the customer wrote in the thread is read. Returns {read}: how much of it was new. Needs messages.send; technicians (work_orders.perform) read
the threads of their own visits.
Errors: 403 forbidden, 403 no_membership, 404 not_found.
Example: select crm_mark_portal_thread_read(thread_id => '…');$$;

create or replace function public.crm_update_portal_thread(id uuid, patch jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.update_portal_thread(json_build_object('id', id, 'patch', patch)::text));
end $$;
comment on function public.crm_update_portal_thread(uuid, jsonb) is
$$Closes, opens, hands over or renames a thread. patch: status (open, pending_customer, pending_internal, closed), assigned_to_user_id (active staff; null:
nobody), subject; absent: left. Error paths start inside it. Needs messages.send. Returns the thread as crm_get_portal_thread does, without messages.
Errors: 400 invalid_argument (unknown_assignee), 403 forbidden, 403 no_membership, 404 not_found.
Example: select crm_update_portal_thread(id => '…', patch => '{"status": "closed"}');$$;

revoke all on function public.portal_create_thread(text, text, uuid, uuid, jsonb, text), public.portal_list_threads(text,
  integer, text), public.portal_list_messages(uuid, integer, text), public.portal_send_message(uuid, text, jsonb, text),
  public.portal_mark_thread_read(uuid), public.crm_create_portal_thread(uuid, text, text, uuid, uuid, jsonb, text),
  public.crm_list_portal_threads(text, uuid, uuid, integer, text), public.crm_get_portal_thread(uuid, integer, text),
  public.crm_reply_to_portal_thread(uuid, text, jsonb, text), public.crm_mark_portal_thread_read(uuid),
  public.crm_update_portal_thread(uuid, jsonb) from public, anon, authenticated, service_role;
grant execute on function public.portal_create_thread(text, text, uuid, uuid, jsonb, text), public.portal_list_threads(text,
  integer, text), public.portal_list_messages(uuid, integer, text), public.portal_send_message(uuid, text, jsonb, text),
  public.portal_mark_thread_read(uuid) to authenticated;
grant execute on function public.crm_create_portal_thread(uuid, text, text, uuid, uuid, jsonb, text),
  public.crm_list_portal_threads(text, uuid, uuid, integer, text), public.crm_get_portal_thread(uuid, integer, text),
  public.crm_reply_to_portal_thread(uuid, text, jsonb, text), public.crm_mark_portal_thread_read(uuid),
  public.crm_update_portal_thread(uuid, jsonb) to authenticated, service_role;
