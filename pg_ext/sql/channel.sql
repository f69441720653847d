revoke all on function fieldcrm.create_channel(text), fieldcrm.update_channel(text), fieldcrm.find_channel(text),
  fieldcrm.create_webhook_endpoint(text), fieldcrm.update_webhook_endpoint(text) from public;
grant execute on function fieldcrm.create_channel(text), fieldcrm.update_channel(text), fieldcrm.find_channel(text),
  fieldcrm.create_webhook_endpoint(text), fieldcrm.update_webhook_endpoint(text)
  to authenticated, service_role;

create or replace function public.crm_create_channel(
  channel text default null, address text default null, client_id uuid default null, project_id uuid default null,
  secret_name text default null, settings jsonb default null, is_enabled boolean default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.create_channel(json_build_object('channel', channel, 'address', address,
    'client_id', client_id, 'project_id', project_id, 'secret_name', secret_name, 'settings', settings,
    'is_enabled', is_enabled)::text));
end $$;
comment on function public.crm_create_channel(text, text, uuid, uuid, text, jsonb, boolean) is $$Says whose an address is: what comes in at it belongs to this org, and its leads to the project.
channel and address: whatsapp (the id of the number), sms (E.164), email (the mailbox), form (a key of 16 to 100 letters, digits, - and _).
project_id: where unknown senders become leads, for a form always; without it, the client's newest active project. secret_name: the function secret
that signs what comes in; never the secret. settings: source; of a form also fields (their name → ours), honeypot, max_per_minute.
Returns the columns of org_channels. Needs org.manage. Errors: 400 invalid_argument (unknown_client, unknown_project), 403 forbidden,
409 conflict (the address is taken).
Example: select crm_create_channel(channel => 'sms', address => '+15005550006', project_id => '…');$$;

create or replace function public.crm_update_channel(id uuid, patch jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.update_channel(json_build_object('id', id, 'patch', patch)::text));
end $$;
comment on function public.crm_update_channel(uuid, jsonb) is $$Changes a channel: patch of client_id, project_id (which brings its client), secret_name, settings, is_enabled; absent: left, null: cleared.
Returns the columns of org_channels. Needs org.manage. Errors: 400 invalid_argument, 403 forbidden, 404 not_found.
Example: select crm_update_channel(id => '…', patch => '{"is_enabled": false}');$$;

create or replace function public.crm_find_channel(
  channel text, address text, provider text default null, event_ids jsonb default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.find_channel(json_build_object('channel', channel, 'address', address,
    'provider', provider, 'event_ids', event_ids)::text));
end $$;
comment on function public.crm_find_channel(text, text, text, jsonb) is $$What a function has to know before it believes what comes in at an address, and before it stores files that come with it: {org_id,
secret_name, settings, is_enabled, known: which of provider's event_ids came before, also those that were erased since}; null where it is nobody's.
For the service role. Errors: 400 invalid_argument, 403 forbidden (a signed-in user).
Example: select crm_find_channel(channel => 'form', address => 'form_0123456789abcdef');$$;

create or replace function public.crm_create_webhook_endpoint(
  url text default null, event_types jsonb default null, description text default null, is_enabled boolean default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.create_webhook_endpoint(json_build_object('url', url, 'event_types', event_types,
    'description', description, 'is_enabled', is_enabled)::text));
end $$;
comment on function public.crm_create_webhook_endpoint(text, jsonb, text, boolean) is $$Says where the org wants to be told of its events. url: https, a public host by name, port 443 or 8443, no credentials. event_types: an
array of types of crm_events; all where it is empty. Returns the columns of webhook_endpoints. Needs org.manage.
Errors: 400 invalid_argument, 403 forbidden, 409 conflict (the org has the URL).
Example: select crm_create_webhook_endpoint(url => 'https://hooks.example.com/fieldcrm', event_types => '["customer_created"]');$$;

create or replace function public.crm_update_webhook_endpoint(id uuid, patch jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.update_webhook_endpoint(json_build_object('id', id, 'patch', patch)::text));
end $$;
comment on function public.crm_update_webhook_endpoint(uuid, jsonb) is $$Changes an endpoint: patch of event_types, description, is_enabled; enabled again, it begins with a clean slate. Another URL is another
endpoint. Returns the columns of webhook_endpoints. Needs org.manage. Errors: 400 invalid_argument, 403 forbidden, 404 not_found.
Example: select crm_update_webhook_endpoint(id => '…', patch => '{"is_enabled": true}');$$;

revoke all on function public.crm_create_channel(text, text, uuid, uuid, text, jsonb, boolean),
    public.crm_update_channel(uuid, jsonb), public.crm_find_channel(text, text, text, jsonb),
    public.crm_create_webhook_endpoint(text, jsonb, text, boolean), public.crm_update_webhook_endpoint(uuid, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_create_channel(text, text, uuid, uuid, text, jsonb, boolean),
    public.crm_update_channel(uuid, jsonb), public.crm_find_channel(text, text, text, jsonb),
    public.crm_create_webhook_endpoint(text, jsonb, text, boolean), public.crm_update_webhook_endpoint(uuid, jsonb)
  to authenticated, service_role;
