revoke all on function fieldcrm.create_client(text), fieldcrm.can_access_client(text), fieldcrm.can_access_project(text),
  fieldcrm.can_manage_lead(text) from public;
grant execute on function fieldcrm.create_client(text), fieldcrm.can_access_client(text), fieldcrm.can_access_project(text),
  fieldcrm.can_manage_lead(text)
  to authenticated, service_role;

create or replace function public.crm_create_client(
  name text default null, description text default null, status text default null, contact_info jsonb default null,
  settings jsonb default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.create_client(json_build_object('name', name, 'description', description,
    'status', status, 'contact_info', contact_info, 'settings', settings, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_create_client(text, text, text, jsonb, jsonb, text) is $$Makes a client: a workspace of somebody the agency works for. Who makes it is its first admin.
name: 1 to 200 characters. status: ACTIVE (default) or INACTIVE. contact_info (email, phone, address, website), settings: objects.
idempotency_key: the same key and payload again return the first result.
Returns the columns of clients. Needs clients.create. Errors: 400 invalid_argument (every wrong field with its path),
403 forbidden, 409 idempotency_key_reused.
Example: select crm_create_client(name => 'Acme', contact_info => '{"email": "office@acme.example"}');$$;

create or replace function public.can_access_client(user_id uuid, client_id uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return (fieldcrm.unwrap(fieldcrm.can_access_client(json_build_object('user_id', user_id, 'client_id', client_id)::text)) #>> '{}')::boolean;
end $$;
comment on function public.can_access_client(uuid, uuid) is $$Whether an active member of staff may enter the client: as a member of it with any role, or with clients.manage.
A signed-in user may ask only about themselves; the service role about everybody in the org it works for. What the org does not have is false.
Errors: 403 forbidden (another user_id), 403 no_membership.
Example: select can_access_client(user_id => auth.uid(), client_id => '…');$$;

create or replace function public.can_access_project(user_id uuid, project_id uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return (fieldcrm.unwrap(fieldcrm.can_access_project(json_build_object('user_id', user_id, 'project_id', project_id)::text)) #>> '{}')::boolean;
end $$;
comment on function public.can_access_project(uuid, uuid) is $$Whether an active member of staff may enter the client of the project.
A signed-in user may ask only about themselves; the service role about everybody in the org it works for. What the org does not have is false.
Errors: 403 forbidden (another user_id), 403 no_membership.
Example: select can_access_project(user_id => auth.uid(), project_id => '…');$$;

create or replace function public.can_manage_lead(user_id uuid, lead_id uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return (fieldcrm.unwrap(fieldcrm.can_manage_lead(json_build_object('user_id', user_id, 'lead_id', lead_id)::text)) #>> '{}')::boolean;
end $$;
comment on function public.can_manage_lead(uuid, uuid) is $$Whether an active member of staff may change the lead: as a member or admin of its client, or with clients.manage.
A signed-in user may ask only about themselves; the service role about everybody in the org it works for. What the org does not have is false.
Errors: 403 forbidden (another user_id), 403 no_membership.
Example: select can_manage_lead(user_id => auth.uid(), lead_id => '…');$$;

revoke all on function public.crm_create_client(text, text, text, jsonb, jsonb, text), public.can_access_client(uuid, uuid),
    public.can_access_project(uuid, uuid), public.can_manage_lead(uuid, uuid)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_create_client(text, text, text, jsonb, jsonb, text),
    public.can_access_client(uuid, uuid), public.can_access_project(uuid, uuid), public.can_manage_lead(uuid, uuid)
  to authenticated, service_role;
