-- In: {org_id, channel, lead_ids}. Out: {<lead id>: <id of its open conversation on the channel>}; a lead is missing where another
-- session opened one meanwhile: ask again.
with asked as materialized (
  select l.org_id, l.client_id, l.id
  from public.leads l
  where l.org_id = ($1 ->> 'org_id')::uuid and l.id = any (array(select jsonb_array_elements_text($1 -> 'lead_ids'))::uuid[])
), open as materialized (
  select c.lead_id, c.id
  from asked a join public.conversations c on c.org_id = a.org_id and c.lead_id = a.id
  where c.channel = $1 ->> 'channel' and c.status <> 'closed'
), made as (
  insert into public.conversations (org_id, client_id, lead_id, channel)
  select a.org_id, a.client_id, a.id, $1 ->> 'channel'
  from asked a
  where not exists (select from open o where o.lead_id = a.id)
  order by a.id
  on conflict (org_id, lead_id, channel) where status <> 'closed' do nothing
  returning lead_id, id
)
select coalesce(jsonb_object_agg(x.lead_id, x.id), '{}') from (select * from open union all select * from made) x
