revoke all on function fieldcrm.list_webhook_deliveries(text), fieldcrm.replay_webhook_delivery(text),
  fieldcrm.replay_webhook_endpoint(text) from public;
grant execute on function fieldcrm.list_webhook_deliveries(text), fieldcrm.replay_webhook_delivery(text),
  fieldcrm.replay_webhook_endpoint(text)
  to authenticated, service_role;

create or replace function public.crm_list_webhook_deliveries(
  endpoint_id uuid, status text default null, page_size integer default null, cursor text default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.list_webhook_deliveries(json_build_object(
    'endpoint_id', endpoint_id, 'status', status, 'page_size', page_size, 'cursor', "cursor")::text));
end $$;
comment on function public.crm_list_webhook_deliveries(uuid, text, integer, text) is $$What an endpoint was told, newest first, with every attempt.
status: only those that are queued, sending, sent, failed, unknown or canceled. page_size: 1 to 200, default 50. cursor: next_cursor of
the page before. Kept for 30 days.
Returns {items: [{id, endpoint_id, event_id (the webhook-id), event_type, payload, status, attempts, max_attempts, next_attempt_at,
error_code, error_message, created_at, sent_at, completed_at, log: [{attempted_at, outcome (sent, failed), http_status, error_code,
duration_ms}]}], next_cursor: null on the last page}. Needs org.manage. Errors: 400 invalid_argument, 403 forbidden, 404 not_found.
Example: select crm_list_webhook_deliveries(endpoint_id => '…', status => 'failed') -> 'items';$$;

create or replace function public.crm_replay_webhook_delivery(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.replay_webhook_delivery(json_build_object('id', id)::text));
end $$;
comment on function public.crm_replay_webhook_delivery(uuid) is $$Tells an endpoint of an event once more, however it ended, with all its attempts: the same body, the same webhook-id, signed anew.
One that waits or is being sent stays as it is. Returns the columns of crm_outbox. Needs org.manage.
Errors: 403 forbidden, 404 not_found, 409 wrong_state (the endpoint is disabled, or the customer was erased).
Example: select crm_replay_webhook_delivery(id => '…');$$;

create or replace function public.crm_replay_webhook_endpoint(endpoint_id uuid, since timestamptz) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.replay_webhook_endpoint(json_build_object('endpoint_id', endpoint_id, 'since', since)::text));
end $$;
comment on function public.crm_replay_webhook_endpoint(uuid, timestamptz) is $$Tells an endpoint once more of all events since then that did not arrive: failed, or canceled because it was disabled.
The oldest first, at most 1,000 in a call. Returns {replayed, more: whether to call again}. Needs org.manage.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 wrong_state (the endpoint is disabled).
Example: select crm_replay_webhook_endpoint(endpoint_id => '…', since => now() - interval '1 day');$$;

revoke all on function public.crm_list_webhook_deliveries(uuid, text, integer, text), public.crm_replay_webhook_delivery(uuid),
    public.crm_replay_webhook_endpoint(uuid, timestamptz)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_list_webhook_deliveries(uuid, text, integer, text), public.crm_replay_webhook_delivery(uuid),
    public.crm_replay_webhook_endpoint(uuid, timestamptz)
  to authenticated, service_role;
