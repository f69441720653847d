revoke all on function fieldcrm.emit_event(text) from public;
grant execute on function fieldcrm.emit_event(text) to authenticated, service_role;

create or replace function public.crm_emit_event(
  event_type text default null, customer_id uuid default null, payload jsonb default null, event_key text default null,
  occurred_at timestamptz default null, org_id uuid default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.emit_event(json_build_object(
    'event_type', event_type, 'customer_id', customer_id, 'payload', payload, 'event_key', event_key,
    'occurred_at', occurred_at, 'org_id', org_id)::text));
end $$;
comment on function public.crm_emit_event(text, uuid, jsonb, text, timestamptz, uuid) is
$$Tells automation of a fact that the database does not see by itself; docs/automation.md lists what it sees.
event_type: a name of your own such as boiler_tested, or booking_submitted; what the database writes itself is refused (reserved).
payload: an object of at most 32,768 bytes, nested at most 32 levels; keep names and addresses of people out of it. event_key: 1
to 190 characters, what makes it the same event; each call is one of its own without. It is stored as <event_type>:<event_key>.
occurred_at: now by default, at most a day ahead. org_id: for back-end sessions without app.current_org_id; the customer's by default.
Returns the columns of crm_events and created: false with the first event where the org has the key already. Needs interactions.write.
Errors: 400 invalid_argument (every wrong field with its path), 403 forbidden, 404 not_found (the customer, or another
org), 409 wrong_state (the
customer was erased, or merged into merged_into_id).
Example: select crm_emit_event(event_type => 'boiler_tested', customer_id => '…', payload => '{"pressure": 1.5}', event_key => '2026-0815');$$;

revoke all on function public.crm_emit_event(text, uuid, jsonb, text, timestamptz, uuid) from public, anon, authenticated, service_role;
grant execute on function public.crm_emit_event(text, uuid, jsonb, text, timestamptz, uuid) to authenticated, service_role;
