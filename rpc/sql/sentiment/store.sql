-- In: {org_id or null for all, lease_id, results: [{id, sentiment or null, error or null}]}. Out: {stored, failed: tried again later, dead:
-- given up}. Only what the lease still has: not what another claim took over since, nor what was stored already. Where the text was
-- erased meanwhile, or somebody said the sentiment, nothing is written. Runs as owner, for jobs.
with given as materialized (
  select g.* from jsonb_to_recordset($1 -> 'results') as g (id uuid, sentiment public.sentiment, error text)
), held as materialized (
  select q.org_id, q.interaction_id, q.attempts, g.sentiment, g.error
  from given g
  join public.crm_interactions i on i.id = g.id
  join fieldcrm.sentiment_queue q on q.org_id = i.org_id and q.interaction_id = i.id
  where q.lease_id = ($1 ->> 'lease_id')::uuid and q.failed_at is null
    and ($1 ->> 'org_id' is null or i.org_id = ($1 ->> 'org_id')::uuid)
  order by q.org_id, q.interaction_id
  for update of q
), analysed as (
  update public.crm_interactions i set sentiment = h.sentiment
  from held h
  where i.org_id = h.org_id and i.id = h.interaction_id and h.sentiment is not null and i.sentiment is null
    and fieldcrm.interaction_text(i.body, i.summary, i.subject) is not null
  returning i.org_id, i.id, i.sentiment
), mirrored as (
  update public.portal_messages m set sentiment = a.sentiment
  from analysed a where m.org_id = a.org_id and m.crm_interaction_id = a.id
), done as (
  delete from fieldcrm.sentiment_queue q using held h
  where h.sentiment is not null and q.org_id = h.org_id and q.interaction_id = h.interaction_id
), failed as (
  update fieldcrm.sentiment_queue q
  set lease_id = null, reason = h.error, failed_at = case when h.attempts >= 5 then now() end,
    due_at = now() + interval '30 seconds' * power(4, h.attempts)
  from held h
  where h.sentiment is null and q.org_id = h.org_id and q.interaction_id = h.interaction_id
  returning q.failed_at
)
select jsonb_build_object('stored', (select count(*) from analysed), 'failed', (select count(*) from failed f where f.failed_at is null),
  'dead', (select count(*) from failed f where f.failed_at is not null))
