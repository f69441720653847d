-- In: {org_id, channel, project_id or null, senders: [{n, addresses, answers: Message-IDs, answered: ids of ours in them}]}.
-- Out: [{n, lead_id, customer_id, first_name, last_name}]: the lead that an answer is about, or that the sender is (of the routed
-- project first, then open ones, then the newest), or else the customer that the sender is.
select coalesce(jsonb_agg(jsonb_build_object('n', s.n, 'lead_id', coalesce(t.lead_id, l.id), 'customer_id', c.id,
  'first_name', c.first_name, 'last_name', c.last_name)), '[]')
from jsonb_to_recordset($1 -> 'senders') as s (n integer, addresses jsonb, answers jsonb, answered jsonb)
cross join (select ($1 ->> 'org_id')::uuid as id) o
left join lateral (
  select x.lead_id from (
    select m.lead_id, m.created_at from public.messages m
    where m.org_id = o.id and m.message_type = 'email'
      and m.metadata ->> 'message_id' = any (array(select jsonb_array_elements_text(s.answers)))
    union all
    select m.lead_id, m.created_at from public.messages m
    where m.org_id = o.id and m.message_type = 'email'
      and m.provider_message_id = any (array(select jsonb_array_elements_text(s.answers)))
    union all
    select m.lead_id, m.created_at from public.messages m
    where m.org_id = o.id and m.message_type = 'email'
      and m.outbox_id = any (array(select jsonb_array_elements_text(s.answered))::uuid[])
    union all
    select m.lead_id, m.created_at from public.messages m
    where m.org_id = o.id and m.message_type = 'email'
      and m.id = any (array(select jsonb_array_elements_text(s.answered))::uuid[])) x
  order by x.created_at desc
  limit 1) t on jsonb_array_length(s.answers) > 0
left join lateral (
  select x.id
  from (
    select l.id, l.project_id, l.status, l.created_at from public.leads l
    where l.org_id = o.id and $1 ->> 'channel' = 'email' and l.email = any (array(select jsonb_array_elements_text(s.addresses)))
    union all
    select l.id, l.project_id, l.status, l.created_at from public.leads l
    where l.org_id = o.id and $1 ->> 'channel' <> 'email' and l.phone = any (array(select jsonb_array_elements_text(s.addresses)))) x
  order by x.project_id = ($1 ->> 'project_id')::uuid desc nulls last, x.status in ('converted', 'lost'), x.created_at desc, x.id
  limit 1) l on t.lead_id is null
left join lateral (
  select c.id, c.first_name, c.last_name
  from public.customer_contacts k
  join public.customers c on c.org_id = k.org_id and c.id = k.customer_id
  where k.org_id = o.id and k.value = any (array(select jsonb_array_elements_text(s.addresses)))
    and case when $1 ->> 'channel' = 'email' then k.type = 'email' else k.type in ('mobile', 'phone', 'whatsapp') end
    and c.erased_at is null and c.merged_into_id is null
  order by c.is_archived, k.is_primary desc, c.created_at desc, c.id
  limit 1) c on t.lead_id is null and l.id is null
