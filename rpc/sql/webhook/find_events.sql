-- In: {org_id, provider, ids: of events}. Out: {<id>: {outcome, lead_id, conversation_id, message_id, interaction_id}}: what became of those
-- that came before. One that was erased is known by its digest: a repeat must not bring back who asked to be forgotten.
select coalesce(jsonb_object_agg(x.id, jsonb_build_object('outcome', e.outcome, 'lead_id', e.lead_id,
  'conversation_id', m.conversation_id, 'message_id', e.message_id, 'interaction_id', e.interaction_id)), '{}')
from jsonb_array_elements_text($1 -> 'ids') as x (id)
join public.webhook_events e on e.org_id = ($1 ->> 'org_id')::uuid and e.provider = $1 ->> 'provider'
  and e.provider_event_id in (x.id, 'erased:' || encode(sha256(convert_to(x.id, 'utf8')), 'hex'))
left join public.messages m on m.org_id = e.org_id and m.id = e.message_id
