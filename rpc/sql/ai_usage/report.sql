-- In: {org_id, month or null: this one}. Out: {month, budget_micros, spent_micros, features: [{feature, provider, model, questions, input_tokens,
-- output_tokens, cost_micros}], the dearest first}.
with asked as (
  select coalesce(($1 ->> 'month')::date, date_trunc('month', now() at time zone 'UTC')::date) as month
)
select jsonb_build_object('month', to_char(a.month, 'YYYY-MM'),
  'budget_micros', coalesce((select s.monthly_budget_micros from public.ai_settings s where s.org_id = ($1 ->> 'org_id')::uuid), 20000000),
  'spent_micros', coalesce((select sum(u.cost_micros) from public.ai_usage u where u.org_id = ($1 ->> 'org_id')::uuid
    and u.created_at >= a.month::timestamp at time zone 'UTC' and u.created_at < (a.month + interval '1 month') at time zone 'UTC'), 0),
  'features', coalesce((select jsonb_agg(to_jsonb(f) order by f.cost_micros desc, f.feature, f.provider, f.model) from (
    select u.feature, u.provider, u.model, count(*) as questions, coalesce(sum(u.input_tokens), 0) as input_tokens,
      coalesce(sum(u.output_tokens), 0) as output_tokens, sum(u.cost_micros) as cost_micros
    from public.ai_usage u
    where u.org_id = ($1 ->> 'org_id')::uuid and u.created_at >= a.month::timestamp at time zone 'UTC'
      and u.created_at < (a.month + interval '1 month') at time zone 'UTC'
    group by u.feature, u.provider, u.model) f), '[]'))
from asked a
