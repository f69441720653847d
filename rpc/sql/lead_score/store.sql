-- In: {org_id, scores: [{id, score, reasons}]}. Out: [{id, score, reasons}] of those that were stored, the best first. One that is converted or
-- lost meanwhile keeps the score it had. For sessions that bypass RLS.
with given as materialized (
  select g.id, g.score, g.reasons from jsonb_to_recordset($1 -> 'scores') as g (id uuid, score integer, reasons jsonb)
), locked as materialized (
  -- Always in the order of the ids, so that two calls wait for each other.
  select l.id from public.leads l
  where l.org_id = ($1 ->> 'org_id')::uuid and l.id in (select g.id from given g) and l.status not in ('converted', 'lost')
  order by l.id
  for no key update
), stored as (
  update public.leads l set lead_score = g.score, score_reasons = g.reasons, scored_at = now()
  from locked k join given g on g.id = k.id
  where l.org_id = ($1 ->> 'org_id')::uuid and l.id = k.id
  returning l.id, l.lead_score as score, l.score_reasons as reasons
)
select coalesce(jsonb_agg(to_jsonb(s) order by s.score desc, s.id), '[]') from stored s
