-- In: {org_id, provider, ids: of events}. Out: {<id>: {outcome, lead_id, conversation_id, message_id}}: what became of those that came before.
select coalesce(jsonb_object_agg(e.provider_event_id, jsonb_build_object('outcome', e.outcome, 'lead_id', e.lead_id,
  'conversation_id', m.conversation_id, 'message_id', e.message_id)), '{}')
from public.webhook_events e
left join public.messages m on m.org_id = e.org_id and m.id = e.message_id
where e.org_id = ($1 ->> 'org_id')::uuid and e.provider = $1 ->> 'provider'
  and e.provider_event_id = any (array(select jsonb_array_elements_text($1 -> 'ids')))
