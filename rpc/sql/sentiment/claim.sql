-- In: {org_id or null for all, batch_limit, max_text}. Out: {lease_id, texts: [{id, org_id, text}], dropped: how many had nothing to
-- analyse any more, dead: how many were given up}. What another session claims at the moment is left to it; a claim that is not
-- heard of in two minutes is lost. Runs as owner, for jobs.
with due as materialized (
  -- Never more than a hundred, says the outer limit to the planner: then it does not read the whole queue.
  select d.*
  from (
    select q.org_id, q.interaction_id, q.attempts
    from fieldcrm.sentiment_queue q
    where q.failed_at is null and q.due_at <= now() and ($1 ->> 'org_id' is null or q.org_id = ($1 ->> 'org_id')::uuid)
    order by q.due_at
    limit ($1 ->> 'batch_limit')::bigint
    for update skip locked) d
  limit 100
), found as materialized (
  select d.*, t.text
  from due d
  left join lateral (
    select left(fieldcrm.interaction_text(i.body, i.summary, i.subject), ($1 ->> 'max_text')::integer) as text
    from public.crm_interactions i join public.orgs o on o.id = i.org_id
    where i.org_id = d.org_id and i.id = d.interaction_id and i.sentiment is null and o.analyze_sentiment) t on true
), dropped as (
  delete from fieldcrm.sentiment_queue q using found f
  where f.text is null and q.org_id = f.org_id and q.interaction_id = f.interaction_id
  returning 1
), dead as (
  update fieldcrm.sentiment_queue q
  set failed_at = now(), lease_id = null, reason = coalesce(q.reason, 'it was claimed five times, and no result came')
  from found f
  where f.text is not null and f.attempts >= 5 and q.org_id = f.org_id and q.interaction_id = f.interaction_id
  returning 1
), lease as materialized (
  select gen_random_uuid() as id
), leased as (
  update fieldcrm.sentiment_queue q
  set attempts = q.attempts + 1, lease_id = l.id, due_at = now() + interval '2 minutes'
  from found f, lease l
  where f.text is not null and f.attempts < 5 and q.org_id = f.org_id and q.interaction_id = f.interaction_id
  returning f.org_id, f.interaction_id, f.text
)
select jsonb_build_object('lease_id', l.id, 'texts', (select coalesce(jsonb_agg(jsonb_build_object('id', x.interaction_id,
    'org_id', x.org_id, 'text', x.text)), '[]') from leased x),
  'dropped', (select count(*) from dropped), 'dead', (select count(*) from dead))
from lease l
