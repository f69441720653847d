-- In: {org_id, id}. Out: {lead_id, channel, status, subject: of its newest e-mail that has one}; null if there is no such
-- conversation. Whoever closes it, and what comes in, waits until the transaction ends.
with conversation as materialized (
  select c.org_id, c.id, c.lead_id, c.channel, c.status
  from public.conversations c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
  for no key update
)
select jsonb_build_object('lead_id', c.lead_id, 'channel', c.channel, 'status', c.status, 'subject', case when c.channel = 'email' then (
    select m.metadata ->> 'subject' from public.messages m
    where m.org_id = c.org_id and m.conversation_id = c.id and btrim(m.metadata ->> 'subject') <> ''
    order by m.created_at desc, m.id desc
    limit 1) end)
from conversation c
