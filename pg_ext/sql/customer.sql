revoke all on function fieldcrm.create_customer(text), fieldcrm.get_customer(text), fieldcrm.update_customer(text) from public;
grant execute on function fieldcrm.create_customer(text), fieldcrm.get_customer(text), fieldcrm.update_customer(text)
  to authenticated, service_role;

create or replace function public.crm_create_customer(
  type text default null, name text default null, first_name text default null, last_name text default null,
  company_name text default null, email text default null, phone text default null, status text default null,
  lifecycle_stage text default null, pipeline_stage text default null, source text default null,
  preferred_language text default null, notes text default null, external_ref text default null,
  owner_id uuid default null, product_id uuid default null, contacts jsonb default null, locations jsonb default null,
  tags text[] default null, preferences jsonb default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.create_customer(json_build_object(
    'type', type, 'name', name, 'first_name', first_name, 'last_name', last_name, 'company_name', company_name,
    'email', email, 'phone', phone, 'status', status, 'lifecycle_stage', lifecycle_stage,
    'pipeline_stage', pipeline_stage, 'source', source, 'preferred_language', preferred_language, 'notes', notes,
    'external_ref', external_ref, 'owner_id', owner_id, 'product_id', product_id, 'contacts', contacts, 'locations', locations,
    'tags', tags, 'preferences', preferences, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_create_customer(text, text, text, text, text, text, text, text, text, text, text, text,
  text, text, uuid, uuid, jsonb, jsonb, text[], jsonb, text) is $$Creates a customer with contacts, locations, preferences and tags, or nothing.
type: individual, company. name: or first_name and last_name, or company_name. email, phone: also become contacts;
e-mail is lower-cased, phone becomes E.164, read as of the org's default_country.
status: active, prospect (default), inactive, blacklisted. lifecycle_stage: lead (default), opportunity, customer,
former_customer. pipeline_stage: lead (default), qualified, proposal, negotiation, closed_won, closed_lost.
product_id: a product of the org. contacts: [{type: email|mobile|phone|fax|whatsapp|telegram|portal, value, is_primary, is_verified, opt_in_marketing,
opt_in_transactional, preferred_channel, notes}]. locations: [{address_line1, city, label, type: billing|service|both,
address_line2, state, postal_code, country, latitude, longitude, is_primary}]. tags: names, made where unknown.
preferences: {do_not_contact, do_not_email, do_not_sms, do_not_call, preferred_contact_window_start, …_end, notes}.
idempotency_key: the same key and payload again return the first result. At most 50 contacts, locations and tags.
Returns what crm_get_customer returns. Needs customers.write or customers.write_own (then the caller becomes the owner).
Errors: 400 invalid_argument (every wrong field with its path), 403 forbidden, 403 no_membership,
409 duplicate_external_ref (with the id), 409 idempotency_key_reused.
Example: select crm_create_customer(type => 'individual', name => 'Ada Lovelace', email => 'ada@example.com');$$;

create or replace function public.crm_get_customer(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.get_customer(json_build_object('id', id)::text));
end $$;
comment on function public.crm_get_customer(uuid) is $$One customer with contacts, locations, preferences and tags, product ({id, name} or
null), recent_interactions (the newest 10), upcoming_followups (the next 10 pending ones) and metrics (customer_metrics).
Writes who looked into crm_access_log, so it cannot run in a read-only transaction.
Needs customers.read. Errors: 403 forbidden, 404 not_found (absent or invisible).
Example: select crm_get_customer(id => '…');$$;

create or replace function public.crm_update_customer(id uuid, patch jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.update_customer(json_build_object('id', id, 'patch', patch)::text));
end $$;
comment on function public.crm_update_customer(uuid, jsonb) is $$Changes what the patch names, all or nothing.
patch: the columns of crm_create_customer (absent: left, null: cleared, or refused where a value must be; error paths start
inside it); contacts and locations: with id, that one is changed, with id and "delete": true removed, without id added (a
contact that is there already takes over what is given); tags: the complete new set; preferences: what to set.
The customer's email and phone follow the contact that has them, also to the next one when it is deleted.
Returns what crm_get_customer returns. Needs customers.write, or customers.write_own for one's own; changing owner_id
needs customers.assign.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 duplicate_external_ref, 409 conflict (a contact
would become another one; 409 with 23505 if somebody else made it so at the same moment).
Example: select crm_update_customer(id => '…', patch => '{"status": "active", "tags": ["VIP"]}');$$;

revoke all on function public.crm_create_customer(text, text, text, text, text, text, text, text, text, text, text, text,
    text, text, uuid, uuid, jsonb, jsonb, text[], jsonb, text), public.crm_get_customer(uuid), public.crm_update_customer(uuid, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_create_customer(text, text, text, text, text, text, text, text, text, text, text, text,
    text, text, uuid, uuid, jsonb, jsonb, text[], jsonb, text), public.crm_get_customer(uuid), public.crm_update_customer(uuid, jsonb)
  to authenticated, service_role;
