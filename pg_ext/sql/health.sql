revoke all on function fieldcrm.health(text) from public;
grant execute on function fieldcrm.health(text) to service_role;

create or replace function public.crm_health() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.health('{}'));
end $$;
comment on function public.crm_health() is $$For back ends and DBAs: whether the work that waits is worked off. In the org of app.current_org_id, in all orgs where none is set.
Returns {status, version, late_after_seconds, queues: [{name, waiting, due, oldest_due_seconds, failed_24h}]}. status: ok, or late where
something has been due for longer than late_after_seconds (300). Queues: articles, automation_runs, events, messages, scores, sentiments, webhooks.
failed_24h: what was given up of the last 24 hours. Reads the queues whole.
Errors: 403 forbidden. Example: select crm_health();$$;

revoke all on function public.crm_health() from public, anon, authenticated, service_role;
grant execute on function public.crm_health() to service_role;
