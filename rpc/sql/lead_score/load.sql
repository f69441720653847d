-- In: {org_id, user_id or null, manages: whether the caller may enter every client, lead_ids or null for all, page_size, outcomes: how
-- many at most}. Out: {missing: whether one of lead_ids is none that the caller may know of, forbidden: whether one is of a client that they
-- only look at, leads: the open ones among lead_ids, or page_size of all that the caller may change, those first that were never scored,
-- then those that were scored longest ago, outcomes: [{lead, won}] of the latest that were converted or lost, of those that the caller
-- may see: of a client that they do not know they learn nothing}; leads as core reads them. For sessions that bypass RLS.
with mine as materialized (
  select m.client_id, m.role in ('member', 'admin') as writes
  from public.client_members m
  join public.profiles p on p.org_id = m.org_id and p.id = m.user_id and p.status = 'active' and p.role not in ('portal_customer', 'portal_manager')
  where m.org_id = ($1 ->> 'org_id')::uuid and m.user_id = ($1 ->> 'user_id')::uuid
), named as materialized (
  select k.id as asked, l.id, l.status, ($1 ->> 'manages')::boolean or m.writes as writes
  from jsonb_array_elements_text(nullif($1 -> 'lead_ids', 'null')) as k (id)
  left join public.leads l on l.org_id = ($1 ->> 'org_id')::uuid and l.id = k.id::uuid
    and (($1 ->> 'manages')::boolean or l.client_id in (select m.client_id from mine m))
  left join mine m on m.client_id = l.client_id
), chosen as materialized (
  select n.id from named n where n.status not in ('converted', 'lost')
  union all
  (select l.id from public.leads l
  where $1 ->> 'lead_ids' is null and l.org_id = ($1 ->> 'org_id')::uuid and l.status not in ('converted', 'lost')
    and (($1 ->> 'manages')::boolean or l.client_id in (select m.client_id from mine m where m.writes))
  order by l.scored_at nulls first, l.id
  limit ($1 ->> 'page_size')::bigint)
), over as materialized (
  select l.id from public.leads l
  where l.org_id = ($1 ->> 'org_id')::uuid and l.status in ('converted', 'lost')
    and (($1 ->> 'manages')::boolean or l.client_id in (select m.client_id from mine m))
    -- Who has none of these was erased.
    and num_nonnulls(l.first_name, l.last_name, l.email, l.phone_raw) > 0
  order by l.created_at desc, l.id
  limit ($1 ->> 'outcomes')::bigint
), facts as materialized (
  select l.id, l.status = 'converted' as won, jsonb_build_object('id', l.id, 'source', l.source, 'has_email', l.email is not null,
    'has_phone', l.phone_raw is not null or l.phone is not null,
    'has_full_name', btrim(coalesce(l.first_name, '')) <> '' and btrim(coalesce(l.last_name, '')) <> '',
    'has_notes', btrim(coalesce(l.notes, '')) <> '', 'messages_in', w.messages_in, 'messages_out', w.messages_out,
    'answer_hours', extract(epoch from w.answered_at - l.created_at) / 3600,
    'silent_days', greatest(0, extract(epoch from e.at - coalesce(w.heard_at, l.created_at)) / 86400)) as lead
  from public.leads l
  -- What was said after the end tells nothing about it.
  cross join lateral (select case when l.status not in ('converted', 'lost') then now() else greatest(l.created_at, coalesce(l.converted_at,
      (select max(a.created_at) from public.crm_activities a
      where a.org_id = l.org_id and a.entity_type = 'lead' and a.entity_id = l.id and a.activity_type = 'status_changed'
        and a.metadata ->> 'to' = 'lost'), l.updated_at)) end as at) e
  cross join lateral (
    select count(*) filter (where m.direction = 'inbound' and m.created_at < l.created_at + interval '7 days') as messages_in,
      count(*) filter (where m.direction = 'outbound' and m.created_at < l.created_at + interval '7 days') as messages_out,
      min(m.created_at) filter (where m.direction = 'outbound' and m.created_at between l.created_at and l.created_at + interval '7 days') as answered_at,
      max(m.created_at) filter (where m.direction = 'inbound') as heard_at
    from public.messages m
    where m.org_id = l.org_id and m.lead_id = l.id and m.created_at <= e.at and m.message_type <> 'internal' and m.status <> 'failed') w
  where l.org_id = ($1 ->> 'org_id')::uuid and l.id in (select c.id from chosen c union select o.id from over o)
)
select jsonb_build_object('missing', exists (select from named n where n.id is null),
  'forbidden', exists (select from named n where n.id is not null and n.writes is not true),
  'leads', (select coalesce(jsonb_agg(f.lead order by f.id), '[]') from facts f join chosen c on c.id = f.id),
  'outcomes', (select coalesce(jsonb_agg(jsonb_build_object('lead', f.lead, 'won', f.won)), '[]') from facts f join over o on o.id = f.id))
