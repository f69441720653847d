-- In: {org_id, portal_account_id, id}. Out: {in_conversation, within_hour, within_day}: questions in the conversation, and of the account. Runs as owner,
-- after booking/lock_account.sql and lock.sql.
select jsonb_build_object('within_hour', count(*) filter (where m.created_at > clock_timestamp() - interval '1 hour'), 'within_day', count(*),
  'in_conversation', (select count(*) from public.portal_ai_messages m
    where m.org_id = ($1 ->> 'org_id')::uuid and m.conversation_id = ($1 ->> 'id')::uuid and m.role = 'user'))
from public.portal_ai_conversations c
join public.portal_ai_messages m on m.org_id = c.org_id and m.conversation_id = c.id
where c.org_id = ($1 ->> 'org_id')::uuid and c.portal_account_id = ($1 ->> 'portal_account_id')::uuid and m.role = 'user'
  and m.created_at > clock_timestamp() - interval '24 hours'
