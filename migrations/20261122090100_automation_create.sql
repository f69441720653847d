-- Automation: rules, what they did for whom, and the notices they leave for members.
-- squawk-ignore-file prefer-bigint-over-int

create type public.automation_trigger as enum ('event', 'time_based', 'segment_membership');
create type public.automation_run_status as enum ('pending', 'success', 'failed', 'skipped');

create table public.crm_automation_rules (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  name text not null,
  description text,
  is_enabled boolean not null default true,
  trigger_type public.automation_trigger not null,
  event_type text,
  time_offset_minutes integer,
  segment_id uuid,
  segment_change text not null default 'entered',
  conditions jsonb,
  actions jsonb not null,
  reenrollment text not null default 'per_episode',
  cooldown_minutes integer,
  max_lateness_minutes integer not null default 1440,
  version integer not null default 1,
  enabled_at timestamptz not null default now(),
  -- The type of the events that start it: the one place that says what each trigger waits for.
  listens_to text generated always as (case
    when trigger_type = 'segment_membership' or (event_type is null and segment_id is not null) then 'segment_' || segment_change
    when event_type = 'no_reply' then 'interaction_logged'
    else coalesce(event_type, 'customer_created') end) stored,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint crm_automation_rules_org_id_id_key unique (org_id, id),
  constraint crm_automation_rules_segment_id_fkey foreign key (org_id, segment_id)
    references public.crm_segments (org_id, id) on delete restrict,
  constraint crm_automation_rules_name_check check (btrim(name) <> '' and char_length(name) <= 200),
  constraint crm_automation_rules_description_check check (char_length(description) <= 20000),
  constraint crm_automation_rules_trigger_check check (case trigger_type
    when 'event' then event_type is not null
    when 'time_based' then time_offset_minutes is not null
    else segment_id is not null end),
  constraint crm_automation_rules_no_reply_check check (event_type <> 'no_reply' or time_offset_minutes > 0),
  constraint crm_automation_rules_event_type_check check (event_type ~ '^[a-z][a-z0-9_]{0,59}$'),
  -- Ten years.
  constraint crm_automation_rules_time_offset_minutes_check check (time_offset_minutes between 0 and 5256000),
  constraint crm_automation_rules_max_lateness_minutes_check check (max_lateness_minutes between 1 and 5256000),
  constraint crm_automation_rules_cooldown_minutes_check check (cooldown_minutes between 1 and 5256000),
  constraint crm_automation_rules_segment_change_check check (segment_change in ('entered', 'left')),
  constraint crm_automation_rules_reenrollment_check check (reenrollment in ('once', 'per_episode', 'cooldown')
    and (reenrollment = 'cooldown') = (cooldown_minutes is not null)),
  constraint crm_automation_rules_conditions_check check (jsonb_typeof(conditions) = 'object'),
  constraint crm_automation_rules_actions_check check (jsonb_typeof(actions) = 'array' and jsonb_array_length(actions) between 1 and 20)
);
create index idx_crm_automation_rules_listens_to on public.crm_automation_rules (org_id, listens_to) where is_enabled;
create index idx_crm_automation_rules_segment_id on public.crm_automation_rules (org_id, segment_id) where segment_id is not null;
create index idx_crm_automation_rules_created_by_user_id on public.crm_automation_rules (created_by_user_id);
comment on table public.crm_automation_rules is 'When what happens, and what is done then.';
comment on column public.crm_automation_rules.event_type is 'The type of crm_events that starts it; no_reply: an outbound interaction that nobody answered within time_offset_minutes.';
comment on column public.crm_automation_rules.time_offset_minutes is 'How long after the event it acts. A time_based rule without event_type counts from entering segment_id, or else from the customer''s creation.';
comment on column public.crm_automation_rules.conditions is 'A segment definition; checked when the event is worked off, and again when a delayed run falls due.';
comment on column public.crm_automation_rules.actions is 'What is done, in this order; checked when the rule is saved.';
comment on column public.crm_automation_rules.reenrollment is 'once: one run a customer. per_episode: one an event. cooldown: one a customer in cooldown_minutes.';
comment on column public.crm_automation_rules.max_lateness_minutes is 'A run that would act later than this after it fell due is skipped.';
comment on column public.crm_automation_rules.version is 'Counts the changes of what it does; runs keep the one they ran.';

create function fieldcrm.count_automation_rule_version() returns trigger
language plpgsql set search_path = '' as $$
begin
  if (new.trigger_type, new.event_type, new.time_offset_minutes, new.segment_id, new.segment_change, new.conditions, new.actions,
      new.reenrollment, new.cooldown_minutes, new.max_lateness_minutes) is distinct from
    (old.trigger_type, old.event_type, old.time_offset_minutes, old.segment_id, old.segment_change, old.conditions, old.actions,
      old.reenrollment, old.cooldown_minutes, old.max_lateness_minutes) then
    new.version := old.version + 1;
  end if;
  -- What happened while it was off is not made up for.
  if new.is_enabled and not old.is_enabled then
    new.enabled_at := now();
  end if;
  return new;
end $$;
create trigger crm_automation_rules_count_version before update on public.crm_automation_rules
  for each row execute function fieldcrm.count_automation_rule_version();
create trigger crm_automation_rules_set_updated_at before update on public.crm_automation_rules
  for each row execute function fieldcrm.set_updated_at();
create trigger crm_automation_rules_keep_creator before update of created_by_user_id on public.crm_automation_rules
  for each row when (new.created_by_user_id is distinct from old.created_by_user_id)
  execute function fieldcrm.keep_creator();

-- Only what somebody listens to is queued.
create function fieldcrm.queue_events() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into fieldcrm.event_queue (org_id, event_id, event_type)
  select n.org_id, n.id, n.event_type
  from new_rows n
  where n.customer_id is not null and exists (
    select from public.crm_automation_rules r
    where r.org_id = n.org_id and r.listens_to = n.event_type and r.is_enabled);
  return null;
end $$;
revoke all on function fieldcrm.queue_events() from public, anon, authenticated, service_role;
create trigger crm_events_queue after insert on public.crm_events
  referencing new table as new_rows for each statement execute function fieldcrm.queue_events();

create table public.crm_automation_runs (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  rule_id uuid not null,
  rule_version integer not null,
  customer_id uuid,
  event_id uuid,
  occurrence_key text not null,
  trigger_context jsonb,
  status public.automation_run_status not null default 'pending',
  due_at timestamptz not null default now(),
  matched jsonb,
  results jsonb,
  skip_code text,
  skip_reason text,
  error_code text,
  error_message text,
  attempts integer not null default 0,
  rule_chain uuid[] not null default '{}',
  started_at timestamptz not null default now(),
  completed_at timestamptz,
  constraint crm_automation_runs_org_id_id_key unique (org_id, id),
  constraint crm_automation_runs_org_id_rule_id_occurrence_key_key unique (org_id, rule_id, occurrence_key),
  constraint crm_automation_runs_rule_id_fkey foreign key (org_id, rule_id)
    references public.crm_automation_rules (org_id, id) on delete cascade,
  constraint crm_automation_runs_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint crm_automation_runs_occurrence_key_check check (char_length(occurrence_key) between 1 and 300),
  constraint crm_automation_runs_skipped_check check ((status = 'skipped') = (skip_code is not null)),
  constraint crm_automation_runs_failed_check check ((status = 'failed') = (error_code is not null)),
  constraint crm_automation_runs_completed_check check ((status = 'pending') = (completed_at is null))
);
create index idx_crm_automation_runs_rule_id_started_at on public.crm_automation_runs (org_id, rule_id, started_at desc, id desc);
create index idx_crm_automation_runs_customer_id on public.crm_automation_runs (org_id, customer_id, started_at desc, id desc);
create index idx_crm_automation_runs_started_at on public.crm_automation_runs (org_id, started_at desc, id desc);
create index idx_crm_automation_runs_pending on public.crm_automation_runs (due_at) where status = 'pending';
comment on table public.crm_automation_runs is 'What a rule did for a customer at an occurrence, or why it did not. Written by the runner.';
comment on column public.crm_automation_runs.occurrence_key is 'What makes it the same run: a second one of the rule with the key does not come into being.';
comment on column public.crm_automation_runs.trigger_context is 'The event: {event_type, event_key, occurred_at, payload}.';
comment on column public.crm_automation_runs.matched is 'What the conditions saw: [{path, result, actual}].';
comment on column public.crm_automation_runs.results is 'What each action did: [{type, …ids}].';
comment on column public.crm_automation_runs.event_id is 'Not a foreign key: events may be pruned.';

-- When a rule with a cooldown last took a customer in: the row that two workers fight over.
create table fieldcrm.automation_enrollments (
  org_id uuid not null,
  rule_id uuid not null,
  customer_id uuid not null,
  enrolled_at timestamptz not null,
  constraint automation_enrollments_pkey primary key (org_id, rule_id, customer_id),
  constraint automation_enrollments_rule_id_fkey foreign key (org_id, rule_id)
    references public.crm_automation_rules (org_id, id) on delete cascade,
  constraint automation_enrollments_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade
);
create index idx_automation_enrollments_customer_id on fieldcrm.automation_enrollments (org_id, customer_id);
comment on table fieldcrm.automation_enrollments is 'When an automation rule with a cooldown last took a customer in.';

create table public.crm_notifications (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  user_id uuid not null,
  customer_id uuid,
  type text not null,
  title text not null,
  body text,
  data jsonb not null default '{}',
  dedupe_key text,
  read_at timestamptz,
  created_at timestamptz not null default now(),
  constraint crm_notifications_org_id_dedupe_key_key unique (org_id, dedupe_key),
  constraint crm_notifications_user_id_fkey foreign key (org_id, user_id)
    references public.profiles (org_id, id) on delete cascade,
  constraint crm_notifications_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint crm_notifications_type_check check (type ~ '^[a-z][a-z0-9_]{0,59}$'),
  constraint crm_notifications_text_check check (btrim(title) <> '' and char_length(title) <= 300 and char_length(body) <= 20000)
);
create index idx_crm_notifications_user_id on public.crm_notifications (org_id, user_id, created_at desc);
create index idx_crm_notifications_customer_id on public.crm_notifications (org_id, customer_id) where customer_id is not null;
comment on table public.crm_notifications is 'Notices for members: reminders, and what automation tells them. Each sees their own.';

do $rls$
declare
  tab text;
begin
  foreach tab in array array['public.crm_automation_rules', 'public.crm_automation_runs', 'public.crm_notifications',
    'fieldcrm.automation_enrollments'] loop
    execute format('alter table %s enable row level security', tab);
    execute format('alter table %s force row level security', tab);
    execute format('revoke all on %s from public, anon, authenticated, service_role', tab);
  end loop;
end $rls$;
grant select, delete on public.crm_automation_rules to authenticated;
grant select on public.crm_automation_runs to authenticated;
grant select, update (read_at), delete on public.crm_notifications to authenticated;
grant select on public.crm_automation_rules, public.crm_automation_runs, public.crm_notifications to service_role;

create policy "Staff see those of their org" on public.crm_automation_rules for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
create policy "Who may write automation may delete a rule" on public.crm_automation_rules for delete to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('automation.write')));
create policy "Staff see those of their org" on public.crm_automation_runs for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
create policy "Members see their own" on public.crm_notifications for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and user_id = (select fieldcrm.current_profile_id()));
create policy "Members read their own" on public.crm_notifications for update to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and user_id = (select fieldcrm.current_profile_id()));
create policy "Members throw their own away" on public.crm_notifications for delete to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and user_id = (select fieldcrm.current_profile_id()));
