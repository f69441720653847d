revoke all on function fieldcrm.create_lead(text), fieldcrm.update_lead(text), fieldcrm.assign_lead(text),
  fieldcrm.convert_lead(text) from public;
grant execute on function fieldcrm.create_lead(text), fieldcrm.update_lead(text), fieldcrm.assign_lead(text),
  fieldcrm.convert_lead(text)
  to authenticated, service_role;

create or replace function public.crm_create_lead(
  project_id uuid default null, first_name text default null, last_name text default null, email text default null,
  phone text default null, status text default null, source text default null, notes text default null,
  tags jsonb default null, custom_fields jsonb default null, assigned_to uuid default null, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.create_lead(json_build_object('project_id', project_id, 'first_name', first_name,
    'last_name', last_name, 'email', email, 'phone', phone, 'status', status, 'source', source,
    'notes', notes, 'tags', tags, 'custom_fields', custom_fields, 'assigned_to', assigned_to,
    'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_create_lead(uuid, text, text, text, text, text, text, text, jsonb, jsonb, uuid, text) is $$Makes a lead in a project, and assigns it as the project's settings.lead_assignment says (round_robin, least_loaded) unless assigned_to
names somebody of its team. One of first_name, last_name, email, phone must be given; phone as the org's country dials it.
status: new (default), contacted, qualified, proposal, converted, lost. tags: an array of names; custom_fields: an object of at most 64 KB.
idempotency_key: the same key and payload again return the first result.
Returns the columns of leads. For members and admins of the client. Errors: 400 invalid_argument (every wrong field with its path;
unknown_assignee), 403 forbidden (viewers), 404 not_found (the project), 409 idempotency_key_reused.
Example: select crm_create_lead(project_id => '…', first_name => 'Ada', email => 'ada@example.com', source => 'google_ads');$$;

create or replace function public.crm_update_lead(id uuid, patch jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.update_lead(json_build_object('id', id, 'patch', patch)::text));
end $$;
comment on function public.crm_update_lead(uuid, jsonb) is $$Changes a lead. patch: first_name, last_name, email, phone, status, source, notes, tags, custom_fields, assigned_to; absent: left,
null: cleared; error paths start inside it. The database keeps assigned_at and converted_at.
Returns the columns of leads. For members and admins of the client. Errors: 400 invalid_argument, 403 forbidden (viewers), 404 not_found.
Example: select crm_update_lead(id => '…', patch => '{"status": "contacted"}');$$;

create or replace function public.crm_assign_lead(
  lead_id uuid, strategy text default null, user_id uuid default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.assign_lead(json_build_object('lead_id', lead_id, 'strategy', strategy,
    'user_id', user_id)::text));
end $$;
comment on function public.crm_assign_lead(uuid, text, uuid) is $$Gives a lead to user_id, or to whose turn it is by strategy: round_robin (who had none for longest) or least_loaded (who has the
fewest open ones of the project); by the project's own way, or else round_robin, where neither is given. Managers and members of
the project who are active get leads.
Returns the columns of leads. For members and admins of the client. Errors: 400 invalid_argument (unknown_assignee), 403 forbidden
(viewers), 404 not_found, 422 rule_broken (nobody on the team).
Example: select crm_assign_lead(lead_id => '…', strategy => 'least_loaded');$$;

create or replace function public.crm_convert_lead(
  lead_id uuid, customer_id uuid default null, type text default null, name text default null, company_name text default null,
  lifecycle_stage text default null, pipeline_stage text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.convert_lead(json_build_object('lead_id', lead_id, 'customer_id', customer_id,
    'type', type, 'name', name, 'company_name', company_name, 'lifecycle_stage', lifecycle_stage,
    'pipeline_stage', pipeline_stage)::text));
end $$;
comment on function public.crm_convert_lead(uuid, uuid, text, text, text, text, text) is $$Makes a customer of a lead, once: a repeat returns the same customer.
customer_id: the customer that the lead turned out to be; without it, the one customer with its e-mail or phone, or else a new one.
type: individual, or company where company_name is given; name: the lead's by default. lifecycle_stage (default customer) and pipeline_stage
(default closed_won): what the customer comes to; one that is further stays there.
Returns {lead, customer_id, created: whether the customer is new}. For members and admins of the client who may write customers
(members only their own). Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 conflict (two customers are reached like the lead;
customer_ids), 409 wrong_state (it is another customer already, or the customer was erased or merged).
Example: select crm_convert_lead(lead_id => '…') ->> 'customer_id';$$;

revoke all on function public.crm_create_lead(uuid, text, text, text, text, text, text, text, jsonb, jsonb, uuid, text),
    public.crm_update_lead(uuid, jsonb), public.crm_assign_lead(uuid, text, uuid),
    public.crm_convert_lead(uuid, uuid, text, text, text, text, text)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_create_lead(uuid, text, text, text, text, text, text, text, jsonb, jsonb, uuid, text),
    public.crm_update_lead(uuid, jsonb), public.crm_assign_lead(uuid, text, uuid),
    public.crm_convert_lead(uuid, uuid, text, text, text, text, text)
  to authenticated, service_role;
