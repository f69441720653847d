revoke all on function fieldcrm.list_service_types(text), fieldcrm.available_slots(text), fieldcrm.staff_available_slots(text),
  fieldcrm.hold_slot(text), fieldcrm.release_hold(text), fieldcrm.create_booking(text), fieldcrm.list_bookings(text),
  fieldcrm.get_booking(text), fieldcrm.cancel_booking(text), fieldcrm.review_booking(text), fieldcrm.schedule_booking(text),
  fieldcrm.reschedule_appointment(text), fieldcrm.cancel_appointment(text), fieldcrm.process_bookings(text),
  fieldcrm.make_planned_visits(text) from public;
grant execute on function fieldcrm.list_service_types(text), fieldcrm.available_slots(text), fieldcrm.hold_slot(text),
  fieldcrm.release_hold(text), fieldcrm.create_booking(text), fieldcrm.list_bookings(text), fieldcrm.get_booking(text),
  fieldcrm.cancel_booking(text), fieldcrm.reschedule_appointment(text), fieldcrm.cancel_appointment(text) to authenticated;
grant execute on function fieldcrm.staff_available_slots(text), fieldcrm.review_booking(text), fieldcrm.schedule_booking(text)
  to authenticated, service_role;
grant execute on function fieldcrm.process_bookings(text), fieldcrm.make_planned_visits(text) to service_role;

-- A plan for two hundred technicians looks expensive enough to be compiled, which takes longer than all of it.
alter function fieldcrm.available_slots(text) set jit = off;
alter function fieldcrm.staff_available_slots(text) set jit = off;
alter function fieldcrm.hold_slot(text) set jit = off;
alter function fieldcrm.create_booking(text) set jit = off;
alter function fieldcrm.schedule_booking(text) set jit = off;
alter function fieldcrm.reschedule_appointment(text) set jit = off;
alter function fieldcrm.process_bookings(text) set jit = off;

create or replace function public.portal_list_service_types() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.list_service_types('{}'));
end $$;
comment on function public.portal_list_service_types() is $$What can be booked: {service_types: [{code, name, description, duration_minutes}]}.
Needs an active portal account. Errors: 401 unauthenticated, 403 no_membership, 403 portal_account_inactive.
Example: select portal_list_service_types();$$;

create or replace function public.portal_available_slots(
  service_type text, location_id uuid, from_date date default null, to_date date default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.available_slots(json_build_object(
    'service_type', service_type, 'location_id', location_id, 'from_date', from_date, 'to_date', to_date)::text));
end $$;
comment on function public.portal_available_slots(text, uuid, date, date) is $$When a visit of that type can be booked at the location; who would come is not said.
service_type: a code of portal_list_service_types(). location_id: one that the account sees. from_date (default: today), to_date
(default: 13 days later): days of the org's zone, at most 62; none beyond the org's horizon.
Returns {service_type, duration_minutes, time_zone, from_date, to_date, slots: [{starts_at, ends_at}], truncated: more than 5,000}.
Needs an active portal account. Errors: 400 invalid_argument (unknown_service_type), 403, 404 not_found (the location).
Example: select portal_available_slots(service_type => 'repair', location_id => '…', from_date => current_date);$$;

create or replace function public.crm_available_slots(
  service_type text, location_id uuid, from_date date default null, to_date date default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.staff_available_slots(json_build_object(
    'service_type', service_type, 'location_id', location_id, 'from_date', from_date, 'to_date', to_date)::text));
end $$;
comment on function public.crm_available_slots(text, uuid, date, date) is $$When a visit of that type is possible at the location, and who could come: as portal_available_slots, without
notice and horizon. Each slot has technician_ids, at most 10: the shortest way first, then who has least to do that day.
Needs work_orders.write. Errors: 400 invalid_argument (unknown_service_type), 403 forbidden, 404 not_found (the location).
Example: select crm_available_slots(service_type => 'repair', location_id => '…');$$;

create or replace function public.portal_hold_slot(
  service_type text, location_id uuid, starts_at timestamptz, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.hold_slot(json_build_object(
    'service_type', service_type, 'location_id', location_id, 'starts_at', starts_at, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.portal_hold_slot(text, uuid, timestamptz, text) is $$Keeps a slot for some minutes (portal_settings.hold_minutes). At most 3 at a time for an account.
starts_at: of a slot of portal_available_slots. idempotency_key: the same key and payload again return the first result.
Returns {id, service_type, location_id, starts_at, ends_at, expires_at}. Needs an active portal account that is no billing contact.
Errors: 400 invalid_argument, 403, 404 not_found (the location), 409 slot_taken (alternatives: the next three [{starts_at, ends_at}]
that are free), 409 idempotency_key_reused, 422 booking_policy (reason too_many_holds, max_holds).
Example: select portal_hold_slot(service_type => 'repair', location_id => '…', starts_at => '2026-12-01 09:00+00');$$;

create or replace function public.portal_release_hold(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.release_hold(json_build_object('id', id)::text));
end $$;
comment on function public.portal_release_hold(uuid) is $$Gives a hold of the account back: {id, released}. One that was booked is taken back by portal_cancel_booking.
Errors: 403, 404 not_found (absent, gone, or booked). Example: select portal_release_hold(id => '…');$$;

create or replace function public.portal_create_booking(
  location_id uuid default null, location jsonb default null, service_type text default null, problem_description text default null,
  preferred_service_date date default null, preferred_time_window_start time default null, preferred_time_window_end time default null,
  flexible_date boolean default null, hold_id uuid default null, starts_at timestamptz default null, attachments jsonb default null,
  source_channel text default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.create_booking(json_build_object(
    'location_id', location_id, 'location', location, 'service_type', service_type, 'problem_description', problem_description,
    'preferred_service_date', preferred_service_date, 'preferred_time_window_start', preferred_time_window_start,
    'preferred_time_window_end', preferred_time_window_end, 'flexible_date', flexible_date, 'hold_id', hold_id, 'starts_at', starts_at,
    'attachments', attachments, 'source_channel', source_channel, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.portal_create_booking(uuid, jsonb, text, text, date, time, time, boolean, uuid, timestamptz, jsonb, text, text) is
$$Asks for a visit. Where: location_id, or a new location {address_line1, city, label, address_line2, state, postal_code, country,
type} of the account's own customer. What: service_type, problem_description (1 to 5,000 characters).
When: hold_id of portal_hold_slot (which says where and what as well), or starts_at of a free slot, or what is preferred:
preferred_service_date and a window of it, flexible_date. attachments: [{object_name, file_name, content_type, size_bytes}], at most
20, below <org>/portal/<account>/. source_channel: web_portal (default), mobile_app, ai_assistant.
A slot stays taken until the request is decided. With portal_settings.auto_schedule it is a visit at once.
Returns {id, status: submitted or scheduled, customer_id, location_id, service_type, service_name, problem_description, preferred_service_date,
preferred_time_window_start, preferred_time_window_end, flexible_date, attachments, source_channel, starts_at, ends_at, review_note,
reviewed_at, canceled_at, cancel_reason, related_work_order_id, created_at, updated_at}.
Errors: 400 invalid_argument (every wrong field with its path), 403, 404 not_found (location, hold), 409 slot_taken (alternatives),
409 idempotency_key_reused, 422 booking_policy (reason too_many_bookings, max_bookings: open requests and visits to come).
Example: select portal_create_booking(hold_id => '…', problem_description => 'The tap drips.');$$;

create or replace function public.portal_list_bookings(
  status text default null, page_size integer default 50, cursor text default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.list_bookings(json_build_object('status', status, 'page_size', page_size, 'cursor', cursor)::text));
end $$;
comment on function public.portal_list_bookings(text, integer, text) is $$The requests that the account sees, the newest first: {bookings: [as portal_create_booking returns them], next_cursor}.
status: submitted, under_review, approved, scheduled, rejected, canceled_by_customer. page_size: 1 to 100.
Errors: 400 invalid_argument, 403. Example: select portal_list_bookings(status => 'submitted');$$;

create or replace function public.portal_get_booking(id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.get_booking(json_build_object('id', id)::text));
end $$;
comment on function public.portal_get_booking(uuid) is $$One request that the account sees, as portal_create_booking returns it. Errors: 403, 404 not_found.
Example: select portal_get_booking(id => '…');$$;

create or replace function public.portal_cancel_booking(id uuid, reason text default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.cancel_booking(json_build_object('id', id, 'reason', reason)::text));
end $$;
comment on function public.portal_cancel_booking(uuid, text) is $$Takes back a request that is not scheduled yet; its slot is free again. Again, it changes nothing. reason: at most 2,000 characters.
Returns the request. Errors: 400 invalid_argument, 403, 404 not_found, 409 wrong_state (status, related_work_order_id: cancel that
appointment). Example: select portal_cancel_booking(id => '…', reason => 'Solved');$$;

create or replace function public.crm_review_booking(id uuid, decision text, note text default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.review_booking(json_build_object('id', id, 'decision', decision, 'note', note)::text));
end $$;
comment on function public.crm_review_booking(uuid, text, text) is $$Decides a request: approve, reject (its slot is free again) or under_review. note: the customer reads it; null keeps what is there.
Returns the columns of portal_booking_requests. Needs work_orders.write.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 wrong_state (status). Example: select crm_review_booking(id => '…', decision => 'approve');$$;

create or replace function public.crm_schedule_booking(
  id uuid, technician_id uuid default null, starts_at timestamptz default null, ends_at timestamptz default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.schedule_booking(json_build_object(
    'id', id, 'technician_id', technician_id, 'starts_at', starts_at, 'ends_at', ends_at)::text));
end $$;
comment on function public.crm_schedule_booking(uuid, uuid, timestamptz, timestamptz) is $$Makes an open request a visit. technician_id, starts_at, ends_at: by default those of the slot that was picked; ends_at else
follows from the service. Staff go by nobody's hours, but no technician is in two places at once, the service's buffer included.
Returns the columns of the new work order. Needs work_orders.write.
Errors: 400 invalid_argument (unknown_technician), 403 forbidden, 404 not_found, 409 slot_taken (alternatives), 409 wrong_state.
Example: select crm_schedule_booking(id => '…', technician_id => '…', starts_at => '2026-12-01 09:00+00');$$;

create or replace function public.portal_reschedule_appointment(
  id uuid, starts_at timestamptz, reason text default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.reschedule_appointment(json_build_object(
    'id', id, 'starts_at', starts_at, 'reason', reason, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.portal_reschedule_appointment(uuid, timestamptz, text, text) is $$Moves a visit of the customer to a free slot, with the same technician if possible. The org says until how many hours before,
and how often. starts_at: of a slot of portal_available_slots, or where it is already. reason: at most 2,000 characters, for the staff.
Returns {id, status, window_start, window_end, reschedule_count, max_reschedules, fee_note}.
Errors: 400 invalid_argument, 403, 404 not_found, 409 slot_taken (alternatives), 409 wrong_state, 409 idempotency_key_reused,
422 booking_policy (reason: too_late, too_often, not_bookable; until). Example: select portal_reschedule_appointment(id => '…', starts_at => '2026-12-01 09:00+00');$$;

create or replace function public.portal_cancel_appointment(id uuid, reason text default null, idempotency_key text default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.cancel_appointment(json_build_object('id', id, 'reason', reason, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.portal_cancel_appointment(uuid, text, text) is $$Cancels a visit of the customer, up to as many hours before as the org says; again, it changes nothing.
Returns {id, status, window_start, window_end, reschedule_count, max_reschedules, fee_note: what the org says about the price}.
Errors: 400 invalid_argument, 403, 404 not_found, 409 wrong_state, 422 booking_policy (reason too_late, until, fee_note).
Example: select portal_cancel_appointment(id => '…', reason => 'Sold the house');$$;

create or replace function public.crm_process_bookings(batch_limit integer default 1000) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.process_bookings(json_build_object('batch_limit', batch_limit)::text));
end $$;
comment on function public.crm_process_bookings(integer) is $$For jobs: requests that nobody has looked at. Where portal_settings.auto_schedule is on and a slot was picked, or one is free when
it is preferred, the request becomes a visit; else it is under_review. Holds that ran out go, and kept slots
whose time is over. Of the org that the session has set, or of all.
batch_limit: 1 to 10,000. Returns {scheduled, under_review, expired_holds}. Errors: 400 invalid_argument, 403 forbidden.
Example: select crm_process_bookings();$$;

create or replace function public.crm_make_planned_visits(batch_limit integer default 1000) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.make_planned_visits(json_build_object('batch_limit', batch_limit)::text));
end $$;
comment on function public.crm_make_planned_visits(integer) is $$For jobs: the work orders of visit_plans for the next 60 days, each day of a plan once, whoever asks how often; what was canceled or moved
does not come again. A technician who has something else to do then is left out. batch_limit: plans, 1 to 10,000.
Returns {plans, made, invalid: [ids of plans whose rule cannot be read]}. Errors: 400 invalid_argument, 403 forbidden.
Example: select crm_make_planned_visits();$$;

revoke all on function public.portal_list_service_types(), public.portal_available_slots(text, uuid, date, date),
    public.crm_available_slots(text, uuid, date, date), public.portal_hold_slot(text, uuid, timestamptz, text), public.portal_release_hold(uuid),
    public.portal_create_booking(uuid, jsonb, text, text, date, time, time, boolean, uuid, timestamptz, jsonb, text, text),
    public.portal_list_bookings(text, integer, text), public.portal_get_booking(uuid), public.portal_cancel_booking(uuid, text),
    public.crm_review_booking(uuid, text, text), public.crm_schedule_booking(uuid, uuid, timestamptz, timestamptz),
    public.portal_reschedule_appointment(uuid, timestamptz, text, text), public.portal_cancel_appointment(uuid, text, text),
    public.crm_process_bookings(integer), public.crm_make_planned_visits(integer)
  from public, anon, authenticated, service_role;
grant execute on function public.portal_list_service_types(), public.portal_available_slots(text, uuid, date, date),
    public.portal_hold_slot(text, uuid, timestamptz, text), public.portal_release_hold(uuid),
    public.portal_create_booking(uuid, jsonb, text, text, date, time, time, boolean, uuid, timestamptz, jsonb, text, text),
    public.portal_list_bookings(text, integer, text), public.portal_get_booking(uuid), public.portal_cancel_booking(uuid, text),
    public.portal_reschedule_appointment(uuid, timestamptz, text, text), public.portal_cancel_appointment(uuid, text, text)
  to authenticated;
grant execute on function public.crm_available_slots(text, uuid, date, date), public.crm_review_booking(uuid, text, text),
    public.crm_schedule_booking(uuid, uuid, timestamptz, timestamptz)
  to authenticated, service_role;
grant execute on function public.crm_process_bookings(integer), public.crm_make_planned_visits(integer) to service_role;
