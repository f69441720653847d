-- In: {org_id, id, input_tokens, output_tokens, cost_micros}. Out: {id}, or null where there is no such question. What was settled stays as it
-- is. What is spent moves in the month that was charged. Runs as owner.
with question as materialized (
  select u.org_id, u.id, u.feature, u.cost_micros, u.settled_at, date_trunc('month', u.created_at at time zone 'UTC')::date as month
  from public.ai_usage u
  where u.org_id = ($1 ->> 'org_id')::uuid and u.id = ($1 ->> 'id')::uuid
  for update
), settled as (
  update public.ai_usage u
  set input_tokens = ($1 ->> 'input_tokens')::integer, output_tokens = ($1 ->> 'output_tokens')::integer,
    cost_micros = ($1 ->> 'cost_micros')::bigint, settled_at = now()
  from question q where u.org_id = q.org_id and u.id = q.id and q.settled_at is null
), spent as (
  update fieldcrm.ai_spending p
  set spent_micros = greatest(p.spent_micros + ($1 ->> 'cost_micros')::bigint - q.cost_micros, 0),
    assistant_micros = case when q.feature = 'assistant' then greatest(p.assistant_micros + ($1 ->> 'cost_micros')::bigint - q.cost_micros, 0)
      else p.assistant_micros end
  from question q where p.org_id = q.org_id and p.month = q.month and q.settled_at is null
)
select jsonb_build_object('id', q.id) from question q
