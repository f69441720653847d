revoke all on function fieldcrm.render_template(text), fieldcrm.validate_template(text) from public;
grant execute on function fieldcrm.render_template(text), fieldcrm.validate_template(text) to authenticated, service_role;

create or replace function public.crm_render_template(template_id uuid, customer_id uuid, variables jsonb default null)
returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.render_template(json_build_object(
    'template_id', template_id, 'customer_id', customer_id, 'variables', variables)::text));
end $$;
comment on function public.crm_render_template(uuid, uuid, jsonb) is $$A template filled in for one customer; nothing is sent.
variables: {name: value}, only names the template lists. Known everywhere: customer.id, name, first_name, last_name,
company_name, email, phone, type, status, preferred_language, city; org.name, time_zone, currency; user.full_name, email,
phone (the caller). What is null is empty: {{ customer.first_name|default("there") }}. if, for, comparisons and the filters
abs, capitalize, count, default, first, float, int, last, length, lower, round, title, trim, upper; nothing is assigned,
joined or called. Values are escaped in the body of an e-mail, which is HTML. A subject becomes one line.
Returns {channel, subject, body}; the body has at most 100,000 characters. Needs customers.read.
Errors: 400 invalid_argument (a variable the template does not list), 403 forbidden, 404 not_found (template or
customer), 422 invalid_template (every mistake: path subject or body; unknown_variable, syntax with the line, …).
Example: select crm_render_template(template_id => '…', customer_id => '…', variables => '{"discount": 15}');$$;

create or replace function public.crm_validate_template(
  channel text, body text, subject text default null, variables jsonb default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.validate_template(json_build_object(
    'channel', channel, 'subject', subject, 'body', body, 'variables', variables)::text));
end $$;
comment on function public.crm_validate_template(text, text, text, jsonb) is $$Checks a template without a customer.
channel: email, sms, phone_script, portal_message. variables: the names it lists, as a JSON array. The language is that of
crm_render_template. Returns {ok, errors: [{path, code, message}], variables_used: [name]}. Needs customers.read.
Errors: 400 invalid_argument, 403 forbidden.
Example: select crm_validate_template(channel => 'sms', body => 'Hi {{ customer.first_name }}');$$;

revoke all on function public.crm_render_template(uuid, uuid, jsonb), public.crm_validate_template(text, text, text, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_render_template(uuid, uuid, jsonb), public.crm_validate_template(text, text, text, jsonb)
  to authenticated, service_role;
