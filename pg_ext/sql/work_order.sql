revoke all on function fieldcrm.set_work_order_status(text), fieldcrm.my_visits(text), fieldcrm.get_visit(text) from public;
grant execute on function fieldcrm.set_work_order_status(text), fieldcrm.my_visits(text), fieldcrm.get_visit(text)
  to authenticated, service_role;

create or replace function public.crm_set_work_order_status(
  id uuid, status text, eta timestamptz default null, customer_notes text default null,
  internal_notes text default null, cancel_reason text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.set_work_order_status(json_build_object(
    'id', id, 'status', status, 'eta', eta, 'customer_notes', customer_notes, 'internal_notes', internal_notes,
    'cancel_reason', cancel_reason)::text));
end $$;
comment on function public.crm_set_work_order_status(uuid, text, timestamptz, text, text, text) is $$Says how far a work order is.
status: scheduled (from on_site: a return visit), en_route, on_site, completed, canceled; the last two are final. The
same status again changes nothing but the texts and the eta, so a call can be repeated. eta: only with en_route, gone
after it. customer_notes, internal_notes, cancel_reason (only with canceled): null leaves, empty clears.
The database sets en_route_at, started_at, completed_at and canceled_at, and clears what a step back undoes.
Returns the work order's columns; to a technician the visit as crm_get_visit does. Needs work_orders.write, or
work_orders.perform for the visits one is the technician of.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 wrong_state (with status and allowed).
Example: select crm_set_work_order_status(id => '…', status => 'en_route', eta => now() + interval '20 minutes');$$;

create or replace function public.crm_my_visits(
  from_at timestamptz default null, to_at timestamptz default null, page_size integer default 50
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.my_visits(json_build_object(
    'from_at', from_at, 'to_at', to_at, 'page_size', page_size)::text));
end $$;
comment on function public.crm_my_visits(timestamptz, timestamptz, integer) is $$The visits whose technician the caller is, in the order of their windows.
from_at (default: a day ago), to_at (default: in 14 days): visits whose window meets the range. page_size: 1 to 100.
Returns {visits: [{id, title, description, service_type, status, window_start, window_end, eta, en_route_at, started_at,
completed_at, canceled_at, customer_notes, internal_notes, customer: {id, name, phone}, location: {id, label,
address_line1, address_line2, city, state, postal_code, country, latitude, longitude} or null}]}.
Needs work_orders.perform. Errors: 400 invalid_argument, 403 forbidden.
Example: select crm_my_visits(to_at => now() + interval '1 day');$$;

create or replace function public.crm_get_visit(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.get_visit(json_build_object('id', id)::text));
end $$;
comment on function public.crm_get_visit(uuid) is $$One visit whose technician the caller is, as crm_my_visits has it; who looked is kept.
Needs work_orders.perform. Errors: 403 forbidden, 404 not_found (absent, or another technician's).
Example: select crm_get_visit(id => '…');$$;

revoke all on function public.crm_set_work_order_status(uuid, text, timestamptz, text, text, text),
    public.crm_my_visits(timestamptz, timestamptz, integer), public.crm_get_visit(uuid)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_set_work_order_status(uuid, text, timestamptz, text, text, text),
    public.crm_my_visits(timestamptz, timestamptz, integer), public.crm_get_visit(uuid)
  to authenticated, service_role;
