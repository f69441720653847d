-- In: {org_id, portal_account_id, event_type, payload}. Out: {}. Runs as owner: nobody writes history by hand.
-- That somebody is here, or left, is noted once in five minutes: whoever says it again and again fills nothing.
insert into public.portal_audit_events (org_id, portal_account_id, event_type, event_payload, ip_address, user_agent)
select ($1 ->> 'org_id')::uuid, ($1 ->> 'portal_account_id')::uuid, $1 ->> 'event_type', nullif($1 -> 'payload', 'null'),
  r.ip, r.user_agent
from fieldcrm.request_context() r
where $1 ->> 'event_type' not in ('login', 'logout') or not exists (
  select from public.portal_audit_events e
  where e.org_id = ($1 ->> 'org_id')::uuid and e.portal_account_id = ($1 ->> 'portal_account_id')::uuid
    and e.event_type = $1 ->> 'event_type' and e.occurred_at > now() - interval '5 minutes')
returning '{}'::jsonb
