-- In: {org_id, provider, reactions: [{n, sender, emoji or null, provider_message_id, occurred_at}]}. Out: [{n, message_id, lead_id,
-- conversation_id}] of those whose message we have. metadata.reactions: {<sender>: {emoji, at}}; an older one does not replace a newer.
with given as materialized (
  select g.n, g.sender, g.emoji, coalesce(g.occurred_at, now()) as at, m.id, m.lead_id, m.conversation_id
  from jsonb_to_recordset($1 -> 'reactions') as g (n integer, sender text, emoji text, provider_message_id text, occurred_at timestamptz)
  join public.messages m on m.org_id = ($1 ->> 'org_id')::uuid and m.provider = $1 ->> 'provider'
    and m.provider_message_id = g.provider_message_id
), latest as materialized (
  select distinct on (g.id, g.sender) g.id, g.sender, g.emoji, g.at from given g order by g.id, g.sender, g.at desc, g.n desc
), reacted as (
  update public.messages m
  set metadata = m.metadata || jsonb_build_object('reactions', coalesce(m.metadata -> 'reactions', '{}') || r.reactions)
  from (
    select l.id, jsonb_object_agg(l.sender, jsonb_build_object('emoji', l.emoji, 'at', l.at)) as reactions
    from latest l
    join public.messages k on k.org_id = ($1 ->> 'org_id')::uuid and k.id = l.id
    where coalesce((k.metadata -> 'reactions' -> l.sender ->> 'at')::timestamptz <= l.at, true)
    group by l.id) r
  where m.org_id = ($1 ->> 'org_id')::uuid and m.id = r.id
)
select coalesce(jsonb_agg(jsonb_build_object('n', g.n, 'message_id', g.id, 'lead_id', g.lead_id,
  'conversation_id', g.conversation_id)), '[]') from given g
