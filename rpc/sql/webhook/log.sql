-- In: {org_id, channel, provider, messages: [{n, customer_id, subject, content, metadata, provider_message_id, occurred_at}]}. Out: [{n,
-- interaction_id, created}]. What customers say where no project takes leads. A provider's message is one interaction: who has the
-- sender's lock looks for it.
with given as materialized (
  select gen_random_uuid() as id, ($1 ->> 'org_id')::uuid as org_id, g.n, g.customer_id, g.subject, g.content, g.metadata,
    g.provider_message_id, case when g.occurred_at between '1900-01-01 00:00+00' and now() then g.occurred_at else now() end as at
  from jsonb_to_recordset($1 -> 'messages') as g (n integer, customer_id uuid, subject text, content text, metadata jsonb,
    provider_message_id text, occurred_at timestamptz)
), known as materialized (
  select distinct on (g.n) g.n, i.id
  from given g
  join public.crm_interactions i on i.org_id = g.org_id and i.customer_id = g.customer_id and i.created_by_user_id is null
  where i.metadata ->> 'provider' = $1 ->> 'provider' and i.metadata ->> 'provider_message_id' = g.provider_message_id
  order by g.n, i.id
), made as (
  insert into public.crm_interactions (id, org_id, customer_id, channel, direction, subject, body, metadata, created_by_user_id, occurred_at)
  select g.id, g.org_id, g.customer_id, (($1 ->> 'channel') || '_inbound')::public.interaction_channel, 'inbound', g.subject, g.content,
    g.metadata || jsonb_build_object('provider', $1 ->> 'provider', 'provider_message_id', g.provider_message_id), null, g.at
  from given g
  where not exists (select from known k where k.n = g.n)
  order by g.at
  returning id
)
select coalesce(jsonb_agg(x), '[]') from (
  select g.n, g.id as interaction_id, true as created from given g join made m using (id)
  union all
  select k.n, k.id, false from known k) x
