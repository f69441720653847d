revoke all on function fieldcrm.export_customer(text), fieldcrm.erase_customer(text) from public;
grant execute on function fieldcrm.export_customer(text), fieldcrm.erase_customer(text) to authenticated, service_role;

create or replace function public.crm_export_customer(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.export_customer(json_build_object('id', id)::text));
end $$;
comment on function public.crm_export_customer(uuid) is $$Everything about one person, to hand over: duplicates that were merged into the customer included.
Returns {customer, merged: [customers], contacts, locations, preferences, tags, interactions, followups, work_orders (with
events), quotes, invoices, documents, attachments (without the files), segments, metrics, messages (what was sent to the
person, or about them to members), opt_outs (of their addresses), portal_accounts (with preferences and profile),
automation_runs, notifications, events, access_log (who looked, when), audit_log (what was done by whom, without values)}. What the company wrote for itself only, internal_notes of work
orders, is left out. Leaves a row in crm_access_log. Needs customers.export.
Errors: 403 forbidden, 404 not_found (absent or invisible).
Example: select crm_export_customer(id => '…');$$;

create or replace function public.crm_erase_customer(id uuid, reason text default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.erase_customer(json_build_object('id', id, 'reason', reason)::text));
end $$;
comment on function public.crm_erase_customer(uuid, text) is $$Erases a person for good, with the duplicates that were merged into the customer.
Names, contacts, addresses, tags, texts of interactions, messages, follow-ups and work orders, documents, and all values of
events and the audit trail are gone; that there was a customer, numbers and amounts of quotes and invoices, who did what
when, and that an address said stop stay. The customer becomes archived and is contacted no more; pending follow-ups,
messages and automation are canceled, portal accounts closed.
reason: at most 200 characters for the access log, which keeps it: no personal data.
Returns {id, erased_at, attachments: [{bucket_id, object_name}], logins: [user_id]}: delete these files in Storage and these
users in Auth now. Needs customers.delete.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 wrong_state (a merged duplicate: then
the id to erase is in the details). Example: select crm_erase_customer(id => '…', reason => 'request of 3 May');$$;

revoke all on function public.crm_export_customer(uuid), public.crm_erase_customer(uuid, text)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_export_customer(uuid), public.crm_erase_customer(uuid, text) to authenticated, service_role;
