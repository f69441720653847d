-- In: {org_id, channel, provider or null, messages: [{n, lead_id, conversation_id, content, subject, metadata, provider_message_id,
-- occurred_at}]}. Out: [{n, id, lead_id, conversation_id, interaction_id, created}]. What the org has already is not made again; what another
-- session makes at this moment is missing. What a customer says is an interaction too, with the message's id.
with given as materialized (
  select gen_random_uuid() as id, g.n, g.content, g.subject, g.metadata, g.provider_message_id, g.conversation_id, l.org_id, l.client_id,
    g.lead_id, c.id as customer_id,
    case when g.occurred_at between '1900-01-01 00:00+00' and now() then g.occurred_at else now() end as at
  from jsonb_to_recordset($1 -> 'messages') as g (n integer, lead_id uuid, conversation_id uuid, content text, subject text,
    metadata jsonb, provider_message_id text, occurred_at timestamptz)
  join public.leads l on l.org_id = ($1 ->> 'org_id')::uuid and l.id = g.lead_id
  left join public.customers c on c.org_id = l.org_id and c.id = l.customer_id and c.erased_at is null and c.merged_into_id is null
), known as materialized (
  select g.n, m.id, m.lead_id, m.conversation_id
  from given g
  join public.messages m on m.org_id = g.org_id and m.provider = $1 ->> 'provider' and m.provider_message_id = g.provider_message_id
), made as (
  insert into public.messages (id, org_id, client_id, lead_id, conversation_id, sender_type, content, message_type, direction,
    status, metadata, provider, provider_message_id, created_at)
  select g.id, g.org_id, g.client_id, g.lead_id, g.conversation_id, 'lead', g.content, $1 ->> 'channel', 'inbound', 'delivered',
    g.metadata, $1 ->> 'provider', g.provider_message_id, g.at
  from given g
  where not exists (select from known k where k.n = g.n)
  order by g.provider_message_id, g.n
  on conflict (org_id, provider, provider_message_id) do nothing
  returning id
), mirrored as (
  insert into public.crm_interactions (org_id, customer_id, channel, direction, subject, body, metadata, created_by_user_id, occurred_at)
  select g.org_id, g.customer_id, (($1 ->> 'channel') || '_inbound')::public.interaction_channel, 'inbound', g.subject, g.content,
    jsonb_build_object('message_id', g.id, 'conversation_id', g.conversation_id, 'lead_id', g.lead_id), null, g.at
  from given g join made m using (id)
  where g.customer_id is not null
  order by g.at
  returning id, metadata ->> 'message_id' as message_id
)
select coalesce(jsonb_agg(x), '[]') from (
  select g.n, g.id, g.lead_id, g.conversation_id, i.id as interaction_id, true as created
  from given g join made m using (id) left join mirrored i on i.message_id = g.id::text
  union all
  select k.n, k.id, k.lead_id, k.conversation_id, null, false from known k) x
