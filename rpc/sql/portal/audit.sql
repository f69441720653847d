-- In: {org_id, portal_account_id, event_type, payload}. Out: {}. Runs as owner: nobody writes history by hand.
insert into public.portal_audit_events (org_id, portal_account_id, event_type, event_payload, ip_address, user_agent)
select ($1 ->> 'org_id')::uuid, ($1 ->> 'portal_account_id')::uuid, $1 ->> 'event_type', nullif($1 -> 'payload', 'null'),
  r.ip, r.user_agent
from fieldcrm.request_context() r
returning '{}'::jsonb
