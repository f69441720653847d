-- What models outside are asked, what it costs, and how much of it an org wants.
-- squawk-ignore-file prefer-bigint-over-int, prefer-bigint-over-smallint

create type public.ai_feature as enum ('segment', 'sentiment', 'suggestion', 'lead_score', 'draft', 'insight', 'assistant');

create table public.ai_settings (
  org_id uuid primary key default fieldcrm.current_org_id() references public.orgs (id),
  is_enabled boolean not null default true,
  monthly_budget_micros bigint not null default 20000000,
  assistant_percent smallint not null default 50,
  redact boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint ai_settings_monthly_budget_micros_check check (monthly_budget_micros between 0 and 1000000000000),
  constraint ai_settings_assistant_percent_check check (assistant_percent between 0 and 100)
);
comment on table public.ai_settings is 'How an org wants models outside to be used. An org without a row has the defaults.';
comment on column public.ai_settings.is_enabled is 'Whether a model outside is asked at all; what is built in goes on without.';
comment on column public.ai_settings.monthly_budget_micros is 'The most a calendar month (UTC) may cost, in millionths of a US dollar.';
comment on column public.ai_settings.assistant_percent is 'The part of the budget that the portal''s assistant may spend, so that customers leave staff the rest.';
comment on column public.ai_settings.redact is 'Whether addresses, phone and card numbers are taken out of what a model is told.';

create table public.ai_usage (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  feature public.ai_feature not null,
  provider text not null,
  model text not null,
  estimated_micros bigint not null,
  cost_micros bigint not null,
  input_tokens integer,
  output_tokens integer,
  created_at timestamptz not null default now(),
  settled_at timestamptz,
  constraint ai_usage_org_id_id_key unique (org_id, id),
  constraint ai_usage_micros_check check (estimated_micros >= 0 and cost_micros >= 0),
  constraint ai_usage_tokens_check check (input_tokens >= 0 and output_tokens >= 0),
  constraint ai_usage_text_check check (char_length(provider) <= 60 and char_length(model) <= 200)
);
create index idx_ai_usage_org_id_created_at on public.ai_usage (org_id, created_at desc);
comment on table public.ai_usage is 'Each question to a model outside, and what it cost.';
comment on column public.ai_usage.cost_micros is 'In millionths of a US dollar; the estimate as long as settled_at is null: a question that nobody settled was perhaps answered.';

-- What of the budget is spent or promised: one row that questions at the same moment wait for, so that together they stay below it.
create table fieldcrm.ai_spending (
  org_id uuid not null references public.orgs (id) on delete cascade,
  month date not null,
  spent_micros bigint not null,
  assistant_micros bigint not null default 0,
  constraint ai_spending_pkey primary key (org_id, month)
);
comment on table fieldcrm.ai_spending is 'The cost of an org''s questions to models by calendar month (UTC).';
comment on column fieldcrm.ai_spending.assistant_micros is 'What of it the portal''s assistant did cost.';

create trigger ai_settings_set_updated_at before update on public.ai_settings
  for each row execute function fieldcrm.set_updated_at();
do $rls$
declare
  tab text;
begin
  foreach tab in array array['public.ai_settings', 'public.ai_usage', 'fieldcrm.ai_spending'] loop
    execute format('alter table %s enable row level security', tab);
    execute format('alter table %s force row level security', tab);
    execute format('revoke all on %s from public, anon, authenticated, service_role', tab);
  end loop;
end $rls$;
grant select on public.ai_settings, public.ai_usage to authenticated, service_role;
grant insert (org_id, is_enabled, monthly_budget_micros, assistant_percent, redact), update (is_enabled, monthly_budget_micros, assistant_percent, redact)
  on public.ai_settings to authenticated;
create policy "Staff see those of their org" on public.ai_settings for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
create policy "Who manages the org sets them" on public.ai_settings for insert to authenticated
  with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('org.manage')));
create policy "Who manages the org changes them" on public.ai_settings for update to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('org.manage')));
create policy "Who manages the org sees what it costs" on public.ai_usage for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('org.manage')));
