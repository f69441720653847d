-- In: {org_id, feature, provider, model, estimated_micros}. Out: {id: of the reservation, null where it is not allowed, is_enabled, redact};
-- null where there is no such org. The row of the month decides: questions at the same moment wait for each other. The portal's assistant has a part of
-- the budget. Runs as owner.
with settings as materialized (
  select o.id, coalesce(s.is_enabled, true) as is_enabled, coalesce(s.redact, true) as redact, coalesce(s.monthly_budget_micros, 20000000) as budget,
    coalesce(s.monthly_budget_micros, 20000000) * coalesce(s.assistant_percent, 50) / 100 as assistant_budget,
    ($1 ->> 'estimated_micros')::bigint as estimated,
    case when $1 ->> 'feature' = 'assistant' then ($1 ->> 'estimated_micros')::bigint else 0 end as of_assistant
  from public.orgs o left join public.ai_settings s on s.org_id = o.id
  where o.id = ($1 ->> 'org_id')::uuid
), spent as (
  insert into fieldcrm.ai_spending as p (org_id, month, spent_micros, assistant_micros)
  select s.id, date_trunc('month', now() at time zone 'UTC')::date, s.estimated, s.of_assistant
  from settings s
  where s.is_enabled and s.estimated <= s.budget and ($1 ->> 'feature' <> 'assistant' or s.estimated <= s.assistant_budget)
  on conflict (org_id, month) do update
  set spent_micros = p.spent_micros + excluded.spent_micros, assistant_micros = p.assistant_micros + excluded.assistant_micros
  where p.spent_micros + excluded.spent_micros <= (select s.budget from settings s)
    and ($1 ->> 'feature' <> 'assistant' or p.assistant_micros + excluded.assistant_micros <= (select s.assistant_budget from settings s))
  returning p.org_id
), asked as (
  insert into public.ai_usage (org_id, feature, provider, model, estimated_micros, cost_micros)
  select p.org_id, ($1 ->> 'feature')::public.ai_feature, $1 ->> 'provider', $1 ->> 'model', s.estimated, s.estimated
  from spent p, settings s
  returning id
)
select jsonb_build_object('id', (select a.id from asked a), 'is_enabled', s.is_enabled, 'redact', s.redact) from settings s
