-- In: {org_id, thread_id, portal_account_id or null: of the customer who reads, at and id: the place that the page begins behind, limit}, a thread that
-- the caller sees. Out: its messages, the newest first, one more than the limit; of those who wrote a name and a picture.
select coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'at', m.sent_at, 'sender', jsonb_build_object('type', m.sender_type,
    'name', coalesce(p.full_name, q.full_name), 'avatar_url', coalesce(p.avatar_url, q.avatar_url),
    'is_own', coalesce(m.sender_portal_account_id = ($1 ->> 'portal_account_id')::uuid, false)),
  'body', m.body, 'attachments', coalesce(m.attachments, '[]'), 'sent_at', m.sent_at, 'read_at', m.read_at)
  order by m.sent_at desc, m.id desc), '[]')
from (
  select m.*
  from public.portal_messages m
  where m.org_id = ($1 ->> 'org_id')::uuid and m.thread_id = ($1 ->> 'thread_id')::uuid
    and (m.sent_at, m.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
  order by m.sent_at desc, m.id desc
  limit ($1 ->> 'limit')::bigint + 1
) m
left join public.profiles p on p.org_id = m.org_id and p.id = m.sender_user_id
left join public.portal_accounts a on a.org_id = m.org_id and a.id = m.sender_portal_account_id
left join public.profiles q on q.org_id = a.org_id and q.id = a.user_id
