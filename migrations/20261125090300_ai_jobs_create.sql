-- What is computed about many customers in batches: a job, and the customers of it that wait.
-- squawk-ignore-file prefer-bigint-over-int

create type public.ai_job_kind as enum ('segment_score');
create type public.ai_job_status as enum ('queued', 'running', 'done', 'failed', 'canceled');

create table public.ai_jobs (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  kind public.ai_job_kind not null,
  segment_id uuid not null,
  segment_version bigint not null,
  status public.ai_job_status not null default 'queued',
  threshold integer not null,
  only_matching boolean not null default false,
  total integer not null default 0,
  scored integer not null default 0,
  failed integer not null default 0,
  provider text,
  model text,
  error_code text,
  outages integer not null default 0,
  available_at timestamptz not null default now(),
  created_by_user_id uuid references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  updated_at timestamptz not null default now(),
  constraint ai_jobs_org_id_id_key unique (org_id, id),
  constraint ai_jobs_segment_id_fkey foreign key (org_id, segment_id)
    references public.crm_segments (org_id, id) on delete cascade,
  constraint ai_jobs_threshold_check check (threshold between 0 and 100),
  constraint ai_jobs_progress_check check (scored >= 0 and failed >= 0 and scored + failed <= total),
  constraint ai_jobs_outages_check check (outages >= 0),
  constraint ai_jobs_finished_at_check check ((finished_at is null) = (status in ('queued', 'running'))),
  constraint ai_jobs_text_check check (char_length(provider) <= 60 and char_length(model) <= 200 and char_length(error_code) <= 60)
);
create index idx_ai_jobs_segment_id on public.ai_jobs (org_id, segment_id, created_at desc);
-- Two at once would make the same members.
create unique index idx_ai_jobs_unfinished on public.ai_jobs (org_id, segment_id) where status in ('queued', 'running');
create index idx_ai_jobs_created_by_user_id on public.ai_jobs (created_by_user_id);
comment on table public.ai_jobs is 'What is computed about many customers in batches, and how far it is. Written by the RPCs.';
comment on column public.ai_jobs.segment_version is 'Of the rules that are scored by; when the segment has others, the job fails.';
comment on column public.ai_jobs.threshold is 'The least score (0 to 100) of a member.';
comment on column public.ai_jobs.only_matching is 'Whether only customers are scored who match the rules, and not all of the org.';
comment on column public.ai_jobs.total is 'How many customers there are to score. Who is deleted meanwhile is neither scored nor failed.';
comment on column public.ai_jobs.failed is 'How many were given up after five attempts; they are members if they were before.';
comment on column public.ai_jobs.outages is 'How often in a row the model was not available.';
comment on column public.ai_jobs.available_at is 'Until then nobody is claimed, because the model was not available.';
comment on column public.ai_jobs.provider is 'Who scored: the model''s provider if it scored any, else builtin.';
create trigger ai_jobs_set_updated_at before update on public.ai_jobs
  for each row execute function fieldcrm.set_updated_at();

-- Apart from the job, whose row says how far it is: who waits, and the results until all are there.
create table fieldcrm.ai_job_customers (
  org_id uuid not null,
  job_id uuid not null,
  customer_id uuid not null,
  score integer,
  reason text,
  provider text,
  model text,
  attempts integer not null default 0,
  lease_id uuid,
  due_at timestamptz not null default now(),
  failed_at timestamptz,
  constraint ai_job_customers_pkey primary key (org_id, job_id, customer_id),
  constraint ai_job_customers_job_id_fkey foreign key (org_id, job_id) references public.ai_jobs (org_id, id) on delete cascade,
  constraint ai_job_customers_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint ai_job_customers_score_check check (score between 0 and 100),
  constraint ai_job_customers_attempts_check check (attempts >= 0),
  constraint ai_job_customers_reason_check check (char_length(reason) <= 500)
);
create index idx_ai_job_customers_customer_id on fieldcrm.ai_job_customers (org_id, customer_id);
create index idx_ai_job_customers_due_at on fieldcrm.ai_job_customers (org_id, job_id, due_at) where score is null and failed_at is null;
comment on table fieldcrm.ai_job_customers is 'The customers of unfinished jobs: who waits to be scored, and the scores.';
comment on column fieldcrm.ai_job_customers.reason is 'Of the score; where there is none yet, why the last attempt failed.';
comment on column fieldcrm.ai_job_customers.due_at is 'When it may be claimed; of what is claimed, when the lease runs out.';
comment on column fieldcrm.ai_job_customers.lease_id is 'The claim that has it, or was the last to; only its results are taken.';
comment on column fieldcrm.ai_job_customers.failed_at is 'When it was given up, after five attempts.';

alter table public.crm_segments add column scored_at timestamptz;
comment on column public.crm_segments.scored_at is 'When scores decided last who is a member. Null where rules or people decide; crm_recompute_segment returns to the rules.';

do $rls$
declare
  tab text;
begin
  foreach tab in array array['public.ai_jobs', 'fieldcrm.ai_job_customers'] loop
    execute format('alter table %s enable row level security', tab);
    execute format('alter table %s force row level security', tab);
    execute format('revoke all on %s from public, anon, authenticated, service_role', tab);
  end loop;
end $rls$;
grant select on public.ai_jobs to authenticated, service_role;
create policy "Staff see those of their org" on public.ai_jobs for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
