-- In: {org_id, channel_id, provider, events: [{id, type, outcome, payload or null, lead_id, message_id, interaction_id}]}. Out: {stored: how
-- many are new}. Last in the transaction, with what they mean.
with stored as (
  insert into public.webhook_events (org_id, channel_id, provider, provider_event_id, event_type, outcome, payload, lead_id, message_id,
    interaction_id)
  select ($1 ->> 'org_id')::uuid, ($1 ->> 'channel_id')::uuid, $1 ->> 'provider', e.id, e.type, e.outcome,
    case when e.payload <> 'null' then e.payload end, e.lead_id, e.message_id, e.interaction_id
  from jsonb_to_recordset($1 -> 'events') as e (id text, type text, outcome text, payload jsonb, lead_id uuid, message_id uuid,
    interaction_id uuid)
  order by e.id
  on conflict (org_id, provider, provider_event_id) do nothing
  returning 1
)
select jsonb_build_object('stored', (select count(*) from stored))
