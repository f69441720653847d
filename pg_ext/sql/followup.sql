revoke all on function fieldcrm.create_followup(text), fieldcrm.ensure_followup(text), fieldcrm.update_followup(text),
  fieldcrm.remind_followups(text), fieldcrm.expire_followups(text) from public;
grant execute on function fieldcrm.create_followup(text), fieldcrm.ensure_followup(text), fieldcrm.update_followup(text),
  fieldcrm.expire_followups(text) to authenticated, service_role;
grant execute on function fieldcrm.remind_followups(text) to service_role;

create or replace function public.crm_create_followup(
  customer_id uuid default null, title text default null, due_at timestamptz default null, description text default null,
  priority text default null, assigned_to_user_id uuid default null, related_interaction_id uuid default null,
  related_work_order_id uuid default null, dedupe_key text default null, remind_at timestamptz default null,
  idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.create_followup(json_build_object(
    'customer_id', customer_id, 'title', title, 'due_at', due_at, 'description', description, 'priority', priority,
    'assigned_to_user_id', assigned_to_user_id, 'related_interaction_id', related_interaction_id,
    'related_work_order_id', related_work_order_id, 'dedupe_key', dedupe_key,
    'remind_at', remind_at, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_create_followup(uuid, text, timestamptz, text, text, uuid, uuid, uuid, text, timestamptz, text) is
$$Makes a follow-up: what somebody has to come back to a customer for, and until when.
title: 1 to 200 characters; description: 20,000. priority: low, medium (default), high. assigned_to_user_id: active
staff; the caller by default. related_interaction_id, related_work_order_id: of the same customer.
dedupe_key: what makes it the same follow-up; if the org has the key already, its row is returned as it is.
remind_at: when the assignee is reminded, in the app and by e-mail.
idempotency_key: the same key and payload again return the first result.
Returns the columns of crm_followups and created: whether it is new. Needs followups.write, or followups.write_own for
one's own customers.
Errors: 400 invalid_argument (every wrong field with its path; unknown_assignee, unknown_interaction,
unknown_work_order), 403 forbidden, 403 no_membership, 404 not_found (the customer), 409 idempotency_key_reused.
Example: select crm_create_followup(customer_id => '…', title => 'Call back', due_at => now() + interval '2 days');$$;

create or replace function public.crm_ensure_followup(
  customer_id uuid default null, title text default null, due_at timestamptz default null, dedupe_key text default null,
  description text default null, priority text default null, assigned_to_user_id uuid default null, origin text default null,
  related_interaction_id uuid default null, related_work_order_id uuid default null, remind_at timestamptz default null
) returns jsonb
language plpgsql set search_path = '' as $$
declare
  result constant jsonb := fieldcrm.ensure_followup(json_build_object(
    'customer_id', customer_id, 'title', title, 'due_at', due_at, 'dedupe_key', dedupe_key, 'description', description,
    'priority', priority, 'assigned_to_user_id', assigned_to_user_id, 'origin', origin,
    'related_interaction_id', related_interaction_id, 'related_work_order_id', related_work_order_id,
    'remind_at', remind_at)::text);
begin
  -- Asked again and again, in a loop: what is no error is not handed on.
  return case when result ? '$error' then fieldcrm.unwrap(result) else result end;
end $$;
comment on function public.crm_ensure_followup(uuid, text, timestamptz, text, text, text, uuid, text, uuid, uuid, timestamptz) is
$$Makes a follow-up unless the org has one with the key: whoever asks with the same key, at once or again, gets the same id.
The arguments are those of crm_create_followup. dedupe_key: at most 255 characters; the default is a UUIDv5 of the org, the origin,
the customer and title|due_at|related_interaction_id|related_work_order_id. origin: manual (default), ai_recommendation;
system_rule for back-end sessions only. The follow-up that has the key is left as it is, and its customer need not be this one.
Returns {id, created}. Needs followups.write, or followups.write_own for one's own customers.
Errors: 400 invalid_argument (every wrong field with its path; unknown_assignee, unknown_interaction,
unknown_work_order), 403 forbidden, 403 no_membership, 404 not_found (the customer).
Example: select crm_ensure_followup(customer_id => '…', title => 'Renew the plan', due_at => '2027-03-01 09:00+00', dedupe_key => 'renewal:2027');$$;

create or replace function public.crm_update_followup(id uuid, patch jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.update_followup(json_build_object('id', id, 'patch', patch)::text));
end $$;
comment on function public.crm_update_followup(uuid, jsonb) is $$Completes, cancels, opens again, reschedules or hands over a follow-up.
patch: status (pending, completed, canceled or cancelled), completion_notes, title, description, due_at, priority,
assigned_to_user_id, remind_at (another time is another reminder); absent: left, null: cleared; error paths start inside it. The same status again changes nothing;
what is closed or expired is set to pending before it is closed otherwise, which clears completion_notes.
Returns the columns of crm_followups. Needs followups.write, or followups.write_own for those one made or is assigned.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 wrong_state (with the status).
Example: select crm_update_followup(id => '…', patch => '{"status": "completed", "completion_notes": "Sold"}');$$;

create or replace function public.crm_expire_followups(grace_hours integer default 720, batch_limit integer default 1000)
returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.expire_followups(json_build_object(
    'grace_hours', grace_hours, 'batch_limit', batch_limit)::text));
end $$;
comment on function public.crm_expire_followups(integer, integer) is $$Expires pending follow-ups that are overdue by more than grace_hours, the oldest first.
For jobs: in the org of app.current_org_id, in all orgs where none is set. batch_limit: 1 to 10,000; call again until
fewer come back. Two jobs at once do not wait for each other. Returns {expired}.
Errors: 400 invalid_argument, 403 forbidden (a signed-in user).
Example: select crm_expire_followups(grace_hours => 720);$$;

create or replace function public.crm_remind_followups(batch_limit integer default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.remind_followups(json_build_object('batch_limit', batch_limit)::text));
end $$;
comment on function public.crm_remind_followups(integer) is $$For jobs: tells the assignees of pending follow-ups what they wanted to be reminded of, and what is overdue, once for each remind_at
and each due_at. A reminder is a row of crm_notifications (followup_reminder) and an e-mail in crm_outbox; what is overdue is
one of crm_notifications and an event (both followup_overdue). Assignees who are not active any more get nothing.
In the org of app.current_org_id, in all orgs where none is set. batch_limit: of each at most so many, 1 to 10,000, default
1,000; call again until fewer come back. Two jobs at once do not wait for each other, nor remind twice.
Returns {reminded, overdue, notified, emailed}. Errors: 400 invalid_argument, 403 forbidden.
Example: select crm_remind_followups();$$;

revoke all on function public.crm_create_followup(uuid, text, timestamptz, text, text, uuid, uuid, uuid, text, timestamptz, text),
    public.crm_ensure_followup(uuid, text, timestamptz, text, text, text, uuid, text, uuid, uuid, timestamptz),
    public.crm_update_followup(uuid, jsonb), public.crm_remind_followups(integer), public.crm_expire_followups(integer, integer)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_create_followup(uuid, text, timestamptz, text, text, uuid, uuid, uuid, text, timestamptz, text),
    public.crm_ensure_followup(uuid, text, timestamptz, text, text, text, uuid, text, uuid, uuid, timestamptz),
    public.crm_update_followup(uuid, jsonb), public.crm_expire_followups(integer, integer)
  to authenticated, service_role;
grant execute on function public.crm_remind_followups(integer) to service_role;
