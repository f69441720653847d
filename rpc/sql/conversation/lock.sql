-- In: {org_id, id}. Out: {lead_id}; null if there is no such conversation. Messages that come in wait until the transaction ends.
select jsonb_build_object('lead_id', c.lead_id)
from public.conversations c
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
for no key update
