-- In: {org_id, portal_account_id}. Out: {within_hour}: conversations that the account began. Runs as owner, after booking/lock_account.sql.
select jsonb_build_object('within_hour', count(*))
from public.portal_ai_conversations c
where c.org_id = ($1 ->> 'org_id')::uuid and c.portal_account_id = ($1 ->> 'portal_account_id')::uuid
  and c.started_at > clock_timestamp() - interval '1 hour'
