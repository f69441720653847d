-- In: {event_ids: [id]}. Out: {rules: [the rules that hear one of them], heard: [[place in event_ids, place in rules]]}, older
-- rules first. A rule hears what happens from when it was enabled; one of a segment only what is about that segment; one that
-- waits for no reply only what went out.
with given as materialized (
  select g.n - 1 as place, e.org_id, e.event_type, e.payload, e.created_at
  from jsonb_array_elements_text($1 -> 'event_ids') with ordinality as g (id, n)
  join public.crm_events e on e.id = g.id::uuid
), rule as materialized (
  select r.*, row_number() over (order by r.org_id, r.created_at, r.id) - 1 as place
  from public.crm_automation_rules r
  where r.is_enabled and (r.org_id, r.listens_to) in (select g.org_id, g.event_type from given g)
), heard as materialized (
  select g.place as event, r.place as rule
  from given g join rule r on r.org_id = g.org_id and r.listens_to = g.event_type
  where g.created_at >= r.enabled_at
    and (r.segment_id is null or r.listens_to not in ('segment_entered', 'segment_left') or g.payload ->> 'segment_id' = r.segment_id::text)
    and (r.event_type is distinct from 'no_reply' or g.payload ->> 'direction' = 'outbound')
)
select jsonb_build_object(
  'rules', coalesce((select jsonb_agg(to_jsonb(r) order by r.place) from rule r), '[]'),
  'heard', coalesce((select jsonb_agg(jsonb_build_array(h.event, h.rule) order by h.event, h.rule) from heard h), '[]'))
