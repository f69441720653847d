revoke all on function fieldcrm.can_contact(text) from public;
grant execute on function fieldcrm.can_contact(text) to authenticated, service_role;

create or replace function public.crm_can_contact(customer_id uuid, channel text, purpose text, at timestamptz default null)
returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.can_contact(json_build_object(
    'customer_id', customer_id, 'channel', channel, 'purpose', purpose, 'at', at)::text));
end $$;
comment on function public.crm_can_contact(uuid, text, text, timestamptz) is $$Whether a customer may be written to or called, by which address, and if not why and until when.
channel: email, sms, whatsapp, call. purpose: transactional (the customer needs it) or marketing. at: default now.
All layers have their say and the most restrictive wins: the customer (closed, do_not_contact, blacklisted, archived, do_not_email,
do_not_sms, do_not_call, suppressed), the address (no_address, stopped, opted_out, not_verified), the portal (portal_opted_out), and
the moment (frequency_cap, outside_window, quiet_hours in the zone of the portal account, else of the org; no_time: they leave none).
Archived, not_verified, portal_opted_out, the frequency cap and the org's quiet hours are about marketing only.
Returns {allowed, code, reason, retry_at (where waiting helps), contact_id, to (masked)}. Needs customers.read. The outbox asks the
same again when a message goes in and when it goes out: what this says is no promise.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found.
Example: select crm_can_contact(customer_id => '…', channel => 'sms', purpose => 'marketing');$$;

revoke all on function public.crm_can_contact(uuid, text, text, timestamptz) from public, anon, authenticated, service_role;
grant execute on function public.crm_can_contact(uuid, text, text, timestamptz) to authenticated, service_role;
