-- In: {runs: [{org_id, customer_id, minutes, interaction_id, channel, rule_chain}]}. Out: {noted}. Keeps as an event that nobody
-- replied.
with noted as (
  insert into public.crm_events (org_id, event_type, customer_id, payload, event_key, rule_chain)
  select g.org_id, 'no_reply', g.customer_id,
    jsonb_build_object('interaction_id', g.interaction_id, 'channel', g.channel, 'minutes', g.minutes),
    'no_reply:' || g.interaction_id || ':' || g.minutes, g.rule_chain
  from jsonb_to_recordset($1 -> 'runs') as g (org_id uuid, customer_id uuid, minutes integer, interaction_id text, channel text,
    rule_chain uuid[])
  order by g.org_id, g.interaction_id, g.minutes
  on conflict (org_id, event_key) do nothing
  returning 1
)
select jsonb_build_object('noted', (select count(*) from noted))
