revoke all on function fieldcrm.prune(text) from public;
grant execute on function fieldcrm.prune(text) to service_role;

create or replace function public.crm_prune(batch_limit integer default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.prune(json_build_object('batch_limit', batch_limit)::text));
end $$;
comment on function public.crm_prune(integer) is $$For jobs: deletes what nobody needs any more, the oldest first: the first results of idempotent calls after 24 hours,
what endpoints were told of events after 30 days, and events after 90 days, but for those that automation has still to work off.
In the org of app.current_org_id, in all orgs where none is set. batch_limit: of each at most so many, 1 to 10,000, default
1,000; call again until fewer come back. Two jobs at once do not wait for each other. Returns
{idempotency_keys, events, webhook_deliveries, signups}.
Errors: 400 invalid_argument, 403 forbidden. Example: select crm_prune(batch_limit => 10000);$$;

revoke all on function public.crm_prune(integer) from public, anon, authenticated, service_role;
grant execute on function public.crm_prune(integer) to service_role;
