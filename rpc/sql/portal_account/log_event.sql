-- In: {user_id, event_type}. Out: {event_type}, or null where the user has no account. Runs as owner, for the back end, which has seen
-- Auth do it.
insert into public.portal_audit_events (org_id, portal_account_id, event_type, ip_address, user_agent)
select a.org_id, a.id, $1 ->> 'event_type', r.ip, r.user_agent
from public.portal_accounts a, fieldcrm.request_context() r
where a.user_id = ($1 ->> 'user_id')::uuid
returning jsonb_build_object('event_type', event_type)
