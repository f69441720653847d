revoke all on function fieldcrm.send_portal_notices(text) from public;
grant execute on function fieldcrm.send_portal_notices(text) to service_role;

create or replace function public.crm_send_portal_notices(batch_limit integer default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.send_portal_notices(json_build_object('batch_limit', batch_limit)::text));
end $$;
comment on function public.crm_send_portal_notices(integer) is
$$For jobs: tells the owners of portal accounts what became of their bookings and visits, and that somebody wrote to them, by messages of the outbox.
Each account is told at the contact that it signs in with, by what portal_notification_preferences say; consent and quiet hours are the outbox's.
Of what happened to one visit, booking or thread since the last call, the last is told, and nothing twice. In the org of
app.current_org_id, in all orgs where none is set. batch_limit: 1 to 10,000 notices, default 1,000; two jobs at once do not wait for each other.
Returns {notices, messages}. Errors: 400 invalid_argument, 403 forbidden.
Example: select crm_send_portal_notices();$$;

revoke all on function public.crm_send_portal_notices(integer) from public, anon, authenticated, service_role;
grant execute on function public.crm_send_portal_notices(integer) to service_role;
