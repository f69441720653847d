revoke all on function fieldcrm.portal_list_appointments(text), fieldcrm.portal_get_appointment(text),
  fieldcrm.portal_appointment_status(text), fieldcrm.portal_service_history(text), fieldcrm.portal_get_job(text),
  fieldcrm.portal_list_documents(text), fieldcrm.portal_get_document(text), fieldcrm.portal_list_invoices(text),
  fieldcrm.portal_list_memberships(text) from public;
grant execute on function fieldcrm.portal_list_appointments(text), fieldcrm.portal_get_appointment(text),
  fieldcrm.portal_appointment_status(text), fieldcrm.portal_service_history(text), fieldcrm.portal_get_job(text),
  fieldcrm.portal_list_documents(text), fieldcrm.portal_get_document(text), fieldcrm.portal_list_invoices(text),
  fieldcrm.portal_list_memberships(text) to authenticated;

create or replace function public.portal_list_appointments(
  from_at timestamptz default null, to_at timestamptz default null, status text default null, page_size integer default null,
  cursor text default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_list_appointments(json_build_object(
    'from_at', from_at, 'to_at', to_at, 'status', status, 'page_size', page_size, 'cursor', cursor)::text));
end $$;
comment on function public.portal_list_appointments(timestamptz, timestamptz, text, integer, text) is
$$The visits of what the account of the caller sees, from early to late.
from_at, to_at: from when (default: 30 days ago) and before when they are; a visit is at its end, or where it has not ended its window_start, or
without one when it was made. status: scheduled, en_route, on_site, completed, canceled. page_size: 1 to 100, default 50. cursor: next_cursor of
the page before.
Returns {items: [{id, title, status, service_type: {code, name}, window_start, window_end, eta, en_route_at, started_at, completed_at,
canceled_at, technician: {name, avatar_url}, customer: {id, name}, location, may_reschedule, may_cancel: {allowed, reason, until, fee_note}}],
next_cursor}. reason: wrong_state, too_late, too_often.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive.
Example: select portal_list_appointments(status => 'scheduled');$$;

create or replace function public.portal_get_appointment(id uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_get_appointment(json_build_object(
    'id', id)::text));
end $$;
comment on function public.portal_get_appointment(uuid) is
$$One visit as portal_list_appointments has it, with events: [{type: created, status, schedule, technician or eta, at, …}], the oldest first.
Errors: 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 404 not_found.
Example: select portal_get_appointment(id => '…');$$;

create or replace function public.portal_appointment_status(id uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_appointment_status(json_build_object('id', id)::text));
end $$;
comment on function public.portal_appointment_status(uuid) is
$$How far a visit is, for clients that ask again and again: {status, eta, updated_at}.
Errors: 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 404 not_found.
Example: select portal_appointment_status(id => '…');$$;

create or replace function public.portal_service_history(page_size integer default null, cursor text default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_service_history(json_build_object(
    'page_size', page_size, 'cursor', cursor)::text));
end $$;
comment on function public.portal_service_history(integer, text) is
$$The visits that are completed or canceled, the newest first; the arguments and the answer are those of portal_list_appointments.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive.
Example: select portal_service_history(page_size => 20);$$;

create or replace function public.portal_get_job(id uuid default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_get_job(json_build_object('id', id)::text));
end $$;
comment on function public.portal_get_job(uuid) is
$$A visit as portal_list_appointments has it, with customer_notes, the quotes and invoices of it that were sent, its documents that are shown
to the customer, and its warranties. That it was read goes to portal_audit_events (job_viewed).
Errors: 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 404 not_found.
Example: select portal_get_job(id => '…');$$;

create or replace function public.portal_list_documents(page_size integer default null, cursor text default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_list_documents(json_build_object(
    'page_size', page_size, 'cursor', cursor)::text));
end $$;
comment on function public.portal_list_documents(integer, text) is
$$The documents that somebody showed to the customer, the newest first: {items: [{id, type, title, has_file, customer_id, job_id, created_at}],
next_cursor}. page_size: 1 to 100, default 50. Whoever sees one place of a customer sees the documents of its visits.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive.
Example: select portal_list_documents();$$;

create or replace function public.portal_get_document(id uuid default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_get_document(json_build_object('id', id)::text));
end $$;
comment on function public.portal_get_document(uuid) is
$$Where the file of a document is in Storage: {id, bucket_id, object_name, file_name, content_type}. The edge function signs a URL for it. That it was
asked for goes to portal_audit_events (document_viewed).
Errors: 401 unauthenticated, 403 no_membership, 403 portal_account_inactive, 404 not_found (also where it has no file).
Example: select portal_get_document(id => '…');$$;

create or replace function public.portal_list_invoices(
  status text default null, page_size integer default null, cursor text default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_list_invoices(json_build_object(
    'status', status, 'page_size', page_size, 'cursor', cursor)::text));
end $$;
comment on function public.portal_list_invoices(text, integer, text) is
$$The invoices of the customer that were sent or paid, the newest first: {items: [{id, number, status, total, amount_paid, currency, issued_at,
due_at, paid_at, customer_id, job_id, document_id}], next_cursor}. status: sent, paid. page_size: 1 to 100, default 50.
Errors: 400 invalid_argument, 401 unauthenticated, 403 no_membership, 403 portal_account_inactive.
Example: select portal_list_invoices(status => 'sent');$$;

create or replace function public.portal_list_memberships() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.portal_list_memberships(json_build_object()::text));
end $$;
comment on function public.portal_list_memberships() is
$$What the customer has beyond single visits: {memberships: [{id, customer_id, status, starts_on, ends_on, plan}], warranties: [{id, customer_id,
location_id, job_id, title, provider, terms, starts_on, ends_on, document_id}]}.
Errors: 401 unauthenticated, 403 no_membership, 403 portal_account_inactive.
Example: select portal_list_memberships();$$;

revoke all on function public.portal_list_appointments(timestamptz, timestamptz, text, integer, text),
  public.portal_get_appointment(uuid), public.portal_appointment_status(uuid), public.portal_service_history(integer, text),
  public.portal_get_job(uuid), public.portal_list_documents(integer, text), public.portal_get_document(uuid),
  public.portal_list_invoices(text, integer, text), public.portal_list_memberships() from public, anon, authenticated,
  service_role;
grant execute on function public.portal_list_appointments(timestamptz, timestamptz, text, integer, text),
  public.portal_get_appointment(uuid), public.portal_appointment_status(uuid), public.portal_service_history(integer, text),
  public.portal_get_job(uuid), public.portal_list_documents(integer, text), public.portal_get_document(uuid),
  public.portal_list_invoices(text, integer, text), public.portal_list_memberships() to authenticated;
