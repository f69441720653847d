-- Leads of marketing projects, what was said with them, and the figures that follow them.
-- squawk-ignore-file prefer-bigint-over-int

create table public.leads (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  client_id uuid not null,
  project_id uuid not null,
  customer_id uuid,
  first_name text,
  last_name text,
  email text,
  phone text,
  phone_raw text,
  status text not null default 'new',
  source text,
  notes text,
  tags jsonb not null default '[]',
  custom_fields jsonb not null default '{}',
  assigned_to uuid,
  assigned_at timestamptz,
  converted_at timestamptz,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint leads_org_id_id_key unique (org_id, id),
  constraint leads_org_id_client_id_id_key unique (org_id, client_id, id),
  constraint leads_project_id_fkey foreign key (org_id, client_id, project_id)
    references public.projects (org_id, client_id, id) on delete cascade,
  constraint leads_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete set null (customer_id),
  constraint leads_assigned_to_fkey foreign key (org_id, assigned_to)
    references public.profiles (org_id, id) on delete set null (assigned_to),
  constraint leads_status_check check (status in ('new', 'contacted', 'qualified', 'proposal', 'converted', 'lost')),
  constraint leads_source_check check (char_length(source) between 1 and 100),
  constraint leads_text_check check (char_length(first_name) <= 200 and char_length(last_name) <= 200 and char_length(notes) <= 20000
    and char_length(phone_raw) <= 100),
  constraint leads_email_check check (email = lower(email) and char_length(email) <= 254),
  constraint leads_phone_check check (phone ~ '^\+[1-9][0-9]{1,14}$'),
  constraint leads_json_check check (jsonb_typeof(tags) = 'array' and jsonb_typeof(custom_fields) = 'object'),
  constraint leads_converted_check check ((status = 'converted') = (converted_at is not null))
);
create index idx_leads_org_id on public.leads (org_id, created_at desc, id);
create index idx_leads_project_id on public.leads (org_id, project_id, created_at desc, id);
create index idx_leads_status on public.leads (org_id, project_id, status, created_at desc, id);
-- Whose turn it is, and who has how many open ones: for handing out leads.
create index idx_leads_team on public.leads (org_id, project_id, assigned_to, status, assigned_at) where assigned_to is not null;
create index idx_leads_client_id on public.leads (org_id, client_id, created_at desc, id);
create index idx_leads_assigned_to on public.leads (org_id, assigned_to, status) where assigned_to is not null;
create index idx_leads_customer_id on public.leads (org_id, customer_id) where customer_id is not null;
create index idx_leads_email on public.leads (org_id, email) where email is not null;
create index idx_leads_phone on public.leads (org_id, phone) where phone is not null;
create index idx_leads_created_by_user_id on public.leads (created_by_user_id);
comment on table public.leads is 'Who may become a customer: what came in through a marketing project.';
comment on column public.leads.customer_id is 'The customer that the lead became.';
comment on column public.leads.source is 'google_ads, facebook_ads, organic, referral, or the name of another source.';
comment on column public.leads.custom_fields is 'What the form or the campaign sent beyond the columns, UTM parameters under utm.';
comment on column public.leads.phone is 'E.164; phone_raw is what was typed.';

create table public.conversations (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  client_id uuid not null,
  lead_id uuid not null,
  channel text not null,
  status text not null default 'active',
  last_message_at timestamptz,
  message_count integer not null default 0,
  created_at timestamptz not null default now(),
  constraint conversations_org_id_lead_id_id_key unique (org_id, lead_id, id),
  constraint conversations_lead_id_fkey foreign key (org_id, client_id, lead_id)
    references public.leads (org_id, client_id, id) on delete cascade on update cascade,
  constraint conversations_channel_check check (channel in ('email', 'whatsapp', 'sms')),
  constraint conversations_status_check check (status in ('active', 'closed', 'paused'))
);
-- One open conversation of a lead on a channel, also when two messages come at once.
create unique index conversations_one_open_key on public.conversations (org_id, lead_id, channel) where status <> 'closed';
create index idx_conversations_client_id on public.conversations (org_id, client_id, last_message_at desc);
comment on table public.conversations is 'What was said with a lead on one channel; one at a time is open.';

create table public.messages (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  client_id uuid not null,
  lead_id uuid not null,
  conversation_id uuid,
  sender_type text not null,
  sender_id uuid,
  content text not null,
  message_type text not null,
  direction text not null,
  status text not null default 'sent',
  metadata jsonb not null default '{}',
  outbox_id uuid,
  provider text,
  provider_message_id text,
  created_at timestamptz not null default now(),
  constraint messages_org_id_id_key unique (org_id, id),
  -- A provider's message is one message, however often it is delivered.
  constraint messages_org_id_provider_provider_message_id_key unique (org_id, provider, provider_message_id),
  constraint messages_lead_id_fkey foreign key (org_id, client_id, lead_id)
    references public.leads (org_id, client_id, id) on delete cascade on update cascade,
  constraint messages_conversation_id_fkey foreign key (org_id, lead_id, conversation_id)
    references public.conversations (org_id, lead_id, id) on delete cascade,
  constraint messages_outbox_id_fkey foreign key (org_id, outbox_id)
    references public.crm_outbox (org_id, id) on delete set null (outbox_id),
  constraint messages_sender_type_check check (sender_type in ('user', 'lead', 'system')),
  constraint messages_message_type_check check (message_type in ('email', 'sms', 'whatsapp', 'call_note', 'internal')),
  constraint messages_direction_check check (direction in ('inbound', 'outbound')),
  constraint messages_status_check check (status in ('sent', 'delivered', 'read', 'failed')),
  constraint messages_content_check check (char_length(content) <= 200000),
  constraint messages_metadata_check check (jsonb_typeof(metadata) = 'object')
);
create index idx_messages_conversation_id on public.messages (org_id, conversation_id, created_at, id);
create index idx_messages_lead_id on public.messages (org_id, lead_id, created_at desc, id);
create index idx_messages_outbox_id on public.messages (org_id, outbox_id) where outbox_id is not null;
-- What an e-mail answers.
create index idx_messages_message_id on public.messages (org_id, (metadata ->> 'message_id')) where message_type = 'email';
create index idx_messages_provider_message_id on public.messages (org_id, provider_message_id) where message_type = 'email';
comment on table public.messages is 'What was said to and by leads; content never changes, status only goes forward.';
comment on column public.messages.metadata is 'What the provider says beyond the columns: media, headers, reactions.';

-- The business timeline; never changed. activities is its older name.
create table public.crm_activities (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  client_id uuid,
  activity_type text not null,
  entity_type text not null,
  entity_table text not null,
  entity_id uuid not null,
  description text,
  user_id uuid,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint crm_activities_client_id_fkey foreign key (org_id, client_id)
    references public.clients (org_id, id) on delete cascade,
  constraint crm_activities_user_id_fkey foreign key (org_id, user_id)
    references public.profiles (org_id, id) on delete set null (user_id),
  constraint crm_activities_activity_type_check check (char_length(activity_type) between 1 and 50),
  constraint crm_activities_entity_type_check check (char_length(entity_type) between 1 and 50),
  constraint crm_activities_description_check check (char_length(description) <= 2000),
  constraint crm_activities_metadata_check check (jsonb_typeof(metadata) = 'object')
);
create index idx_crm_activities_entity_id on public.crm_activities (org_id, entity_type, entity_id, created_at desc, id);
create index idx_crm_activities_created_at on public.crm_activities (org_id, created_at desc, id);
create index idx_crm_activities_client_id on public.crm_activities (org_id, client_id, created_at desc) where client_id is not null;
create index idx_crm_activities_user_id on public.crm_activities (org_id, user_id) where user_id is not null;
comment on table public.crm_activities is 'What happened in the business, in words: created, status_changed, message_sent. Append-only.';
comment on column public.crm_activities.entity_table is 'The table of entity_id: project is a word for two of them.';

create view public.activities with (security_invoker = true) as
  select a.id, a.org_id, a.entity_type, a.entity_id, a.activity_type as action, a.description, a.user_id, a.metadata, a.created_at
  from public.crm_activities a;
comment on view public.activities is 'crm_activities under its older name and columns.';

create table public.metrics (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  client_id uuid,
  entity_type text not null,
  entity_id uuid not null,
  metric_name text not null,
  metric_value numeric not null,
  period text not null,
  date date not null,
  leads integer,
  converted integer,
  created_at timestamptz not null default now(),
  constraint metrics_org_id_entity_metric_period_date_key unique (org_id, entity_type, entity_id, metric_name, period, date),
  constraint metrics_client_id_fkey foreign key (org_id, client_id)
    references public.clients (org_id, id) on delete cascade,
  constraint metrics_entity_type_check check (entity_type in ('client', 'project', 'user')),
  constraint metrics_metric_name_check check (metric_name in ('conversion_rate', 'lead_count', 'response_time')),
  constraint metrics_period_check check (period in ('daily', 'weekly', 'monthly'))
);
create index idx_metrics_client_id on public.metrics (org_id, client_id, date desc) where client_id is not null;
comment on table public.metrics is 'Figures of projects by period, written by the database: leads that came in, and how many of them converted.';
comment on column public.metrics.leads is 'What a figure of leads is made of, so that the next lead adds to it; converted: how many of them.';
comment on column public.metrics.date is 'The first day of the period, in the org''s time zone.';

create table public.reports (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  client_id uuid,
  project_id uuid,
  name text not null,
  type text not null,
  config jsonb not null default '{}',
  data jsonb,
  generated_by uuid default fieldcrm.current_profile_id(),
  created_at timestamptz not null default now(),
  constraint reports_client_id_fkey foreign key (org_id, client_id)
    references public.clients (org_id, id) on delete cascade,
  constraint reports_project_id_fkey foreign key (org_id, client_id, project_id)
    references public.projects (org_id, client_id, id) on delete cascade,
  constraint reports_generated_by_fkey foreign key (org_id, generated_by)
    references public.profiles (org_id, id) on delete set null (generated_by),
  constraint reports_name_check check (btrim(name) <> '' and char_length(name) <= 200),
  constraint reports_type_check check (type in ('conversion', 'source_performance', 'project_summary')),
  constraint reports_project_check check (project_id is null or client_id is not null),
  constraint reports_json_check check (jsonb_typeof(config) = 'object')
);
create index idx_reports_client_id on public.reports (org_id, client_id, created_at desc);
create index idx_reports_project_id on public.reports (org_id, project_id) where project_id is not null;
create index idx_reports_generated_by on public.reports (org_id, generated_by);
comment on table public.reports is 'Reports as they were computed, with what they were asked.';

create function fieldcrm.set_lead_client_id() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if new.client_id is null then
    new.client_id := (select l.client_id from public.leads l where l.org_id = new.org_id and l.id = new.lead_id);
  end if;
  return new;
end $$;
revoke all on function fieldcrm.set_lead_client_id() from public, anon, authenticated, service_role;
create trigger leads_set_client_id before insert on public.leads
  for each row when (new.client_id is null) execute function fieldcrm.set_client_id();
create trigger conversations_set_client_id before insert on public.conversations
  for each row when (new.client_id is null) execute function fieldcrm.set_lead_client_id();
create trigger messages_set_client_id before insert on public.messages
  for each row when (new.client_id is null) execute function fieldcrm.set_lead_client_id();

create function fieldcrm.set_lead_converted_at() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.converted_at := case when new.status = 'converted' then coalesce(new.converted_at, now()) end;
  if tg_op = 'INSERT' or new.assigned_to is distinct from old.assigned_to then
    -- The clock, not the transaction's time: who waited for the one before comes after it.
    new.assigned_at := case when new.assigned_to is not null then clock_timestamp() end;
  end if;
  return new;
end $$;
create trigger leads_set_converted_at before insert or update of status, converted_at, assigned_to on public.leads
  for each row execute function fieldcrm.set_lead_converted_at();
create trigger update_leads_timestamp before update on public.leads
  for each row execute function public.update_updated_at();
create trigger leads_guard_closed after insert on public.leads referencing new table as new_rows
  for each statement execute function fieldcrm.guard_closed_customer();
create trigger leads_keep_creator before update of created_by_user_id on public.leads
  for each row when (new.created_by_user_id is distinct from old.created_by_user_id) execute function fieldcrm.keep_creator();

-- Statement-level, under the names the triggers were asked for.
create function public.log_creation_activity() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.crm_activities (org_id, client_id, activity_type, entity_type, entity_table, entity_id, description, user_id, metadata)
  select n.org_id, n.client_id, 'created', 'lead', 'leads', n.id, 'Lead created', p.id,
    jsonb_build_object('project_id', n.project_id, 'source', n.source, 'status', n.status)
  from new_rows n left join public.profiles p on p.org_id = n.org_id and p.id = n.created_by_user_id;
  return null;
end $$;
create trigger log_lead_creation after insert on public.leads referencing new table as new_rows
  for each statement execute function public.log_creation_activity();
create function public.log_status_change_activity() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.crm_activities (org_id, client_id, activity_type, entity_type, entity_table, entity_id, description, user_id, metadata)
  select n.org_id, n.client_id, 'status_changed', 'lead', 'leads', n.id, format('Status changed from %s to %s', o.status, n.status),
    (fieldcrm.session() ->> 'profile_id')::uuid, jsonb_build_object('from', o.status, 'to', n.status, 'project_id', n.project_id)
  from new_rows n join old_rows o using (org_id, id)
  where n.status <> o.status;
  return null;
end $$;
create trigger log_lead_status_change after update on public.leads referencing new table as new_rows old table as old_rows
  for each statement execute function public.log_status_change_activity();
comment on function public.log_creation_activity() is 'Writes crm_activities for new leads.';
comment on function public.log_status_change_activity() is 'Writes crm_activities when the status of leads changes.';

-- Messages are counted where they come in, in one statement for each conversation. Where some go, the rest is counted anew after
-- the conversation is locked: who comes in meanwhile waits, and adds to that.
create function public.update_conversation_stats() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'DELETE' then
    perform from public.conversations c
    where (c.org_id, c.id) in (select o.org_id, o.conversation_id from old_rows o)
    order by c.id for no key update;
    update public.conversations c
    set message_count = m.messages, last_message_at = m.last_at
    from (select distinct o.org_id, o.conversation_id from old_rows o) o cross join lateral (
      select count(*)::integer as messages, max(x.created_at) as last_at
      from public.messages x where x.org_id = o.org_id and x.conversation_id = o.conversation_id) m
    where c.org_id = o.org_id and c.id = o.conversation_id;
    return null;
  end if;
  update public.conversations c
  set message_count = c.message_count + n.messages, last_message_at = greatest(c.last_message_at, n.last_at)
  from (
    select org_id, lead_id, conversation_id, count(*)::integer as messages, max(created_at) as last_at
    from new_rows where conversation_id is not null group by org_id, lead_id, conversation_id
  ) n
  where c.org_id = n.org_id and c.lead_id = n.lead_id and c.id = n.conversation_id;
  return null;
end $$;
create trigger update_conversation_count after insert on public.messages referencing new table as new_rows
  for each statement execute function public.update_conversation_stats();
create trigger update_conversation_count_deleted after delete on public.messages referencing old table as old_rows
  for each statement execute function public.update_conversation_stats();
comment on function public.update_conversation_stats() is 'Counts the messages of conversations, when some come or go.';

-- What was said stays; how far it came goes forward.
create function fieldcrm.guard_message() returns trigger
language plpgsql set search_path = '' as $$
begin
  if (new.content, new.message_type, new.direction, new.sender_type, new.sender_id, new.created_at)
      is distinct from (old.content, old.message_type, old.direction, old.sender_type, old.sender_id, old.created_at)
    and not (new.content = '' and (new.message_type, new.direction, new.created_at) = (old.message_type, old.direction, old.created_at)) then
    raise exception using errcode = '42501', message = 'messages are never changed';
  end if;
  if new.status <> old.status and not (case old.status
      when 'sent' then new.status in ('delivered', 'read', 'failed')
      when 'delivered' then new.status = 'read'
      -- What is sent once more has another id.
      when 'failed' then new.status in ('delivered', 'read')
        or (new.status = 'sent' and new.provider_message_id is distinct from old.provider_message_id)
      else false end) then
    new.status := old.status;
  end if;
  return new;
end $$;
create trigger messages_guard before update on public.messages
  for each row execute function fieldcrm.guard_message();

-- The figures of a project, for the day, week and month (in the org's zone) in which its leads came in. What changed is
-- added to them: how many leads there were already does not matter. The rows are locked in the order of their key.
create function fieldcrm.add_to_project_metrics(changes jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.metrics as m (org_id, client_id, entity_type, entity_id, metric_name, metric_value, period, date, leads, converted)
  select p.org_id, p.client_id, 'project', p.id, v.metric_name,
    case when v.metric_name = 'lead_count' then x.leads when x.leads = 0 then 0 else round(x.converted::numeric / x.leads, 4) end,
    x.period, x.day, x.leads, x.converted
  from (
    select c.org_id, c.project_id, u.period, date_trunc(u.unit, c.day::timestamp)::date as day, sum(c.leads)::integer as leads,
      sum(c.converted)::integer as converted
    from jsonb_to_recordset(changes) as c (org_id uuid, project_id uuid, day date, leads integer, converted integer)
    cross join (values ('daily', 'day'), ('weekly', 'week'), ('monthly', 'month')) as u (period, unit)
    group by c.org_id, c.project_id, u.period, date_trunc(u.unit, c.day::timestamp)
  ) x
  join public.projects p on p.org_id = x.org_id and p.id = x.project_id
  cross join (values ('conversion_rate'), ('lead_count')) as v (metric_name)
  where x.leads <> 0 or x.converted <> 0
  order by p.id, v.metric_name, x.period, x.day
  on conflict (org_id, entity_type, entity_id, metric_name, period, date) do update
  set leads = m.leads + excluded.leads, converted = m.converted + excluded.converted,
    metric_value = case when m.metric_name = 'lead_count' then m.leads + excluded.leads when m.leads + excluded.leads = 0 then 0
      else round((m.converted + excluded.converted)::numeric / (m.leads + excluded.leads), 4) end;
end $$;
create function public.refresh_metrics_cache() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  changes jsonb;
begin
  if tg_op = 'INSERT' then
    select jsonb_agg(x) into changes from (
      select n.org_id, n.project_id, (n.created_at at time zone o.time_zone)::date as day, count(*) as leads,
        count(*) filter (where n.status = 'converted') as converted
      from new_rows n join public.orgs o on o.id = n.org_id group by 1, 2, 3) x;
  elsif tg_op = 'DELETE' then
    select jsonb_agg(x) into changes from (
      select d.org_id, d.project_id, (d.created_at at time zone o.time_zone)::date as day, -count(*) as leads,
        -count(*) filter (where d.status = 'converted') as converted
      from old_rows d join public.orgs o on o.id = d.org_id group by 1, 2, 3) x;
  else
    select jsonb_agg(x) into changes from (
      select c.org_id, c.project_id, (c.created_at at time zone o.time_zone)::date as day, sum(c.sign) as leads,
        coalesce(sum(c.sign) filter (where c.status = 'converted'), 0) as converted
      from new_rows n join old_rows b using (org_id, id)
      cross join lateral (values (n.org_id, n.project_id, n.created_at, n.status, 1), (b.org_id, b.project_id, b.created_at, b.status, -1))
        as c (org_id, project_id, created_at, status, sign)
      join public.orgs o on o.id = c.org_id
      where (n.project_id, n.created_at) is distinct from (b.project_id, b.created_at)
        or (n.status = 'converted') <> (b.status = 'converted')
      group by 1, 2, 3) x;
  end if;
  if changes is not null then
    perform fieldcrm.add_to_project_metrics(changes);
  end if;
  return null;
end $$;
create trigger refresh_project_metrics_insert after insert on public.leads referencing new table as new_rows
  for each statement execute function public.refresh_metrics_cache();
create trigger refresh_project_metrics_delete after delete on public.leads referencing old table as old_rows
  for each statement execute function public.refresh_metrics_cache();
create trigger refresh_project_metrics after update on public.leads referencing new table as new_rows old table as old_rows
  for each statement execute function public.refresh_metrics_cache();

-- In another time zone the days are others.
create function fieldcrm.recount_project_metrics() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Who writes figures of the old days is waited for, and who comes writes new ones.
  lock table public.metrics in share row exclusive mode;
  delete from public.metrics m
  where m.org_id = new.id and m.entity_type = 'project' and m.metric_name in ('lead_count', 'conversion_rate');
  perform fieldcrm.add_to_project_metrics(x.changes) from (select jsonb_agg(d) as changes from (
    select l.org_id, l.project_id, (l.created_at at time zone new.time_zone)::date as day, count(*) as leads,
      count(*) filter (where l.status = 'converted') as converted
    from public.leads l where l.org_id = new.id group by 1, 2, 3) d) x where x.changes is not null;
  return null;
end $$;
create trigger orgs_recount_project_metrics after update of time_zone on public.orgs
  for each row when (new.time_zone <> old.time_zone) execute function fieldcrm.recount_project_metrics();
-- The figures of a project go with it.
create function fieldcrm.delete_project_metrics() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  delete from public.metrics m using old_rows d
  where m.org_id = d.org_id and m.entity_type = 'project' and m.entity_id = d.id;
  return null;
end $$;
create trigger projects_delete_metrics after delete on public.projects referencing old table as old_rows
  for each statement execute function fieldcrm.delete_project_metrics();
comment on function public.refresh_metrics_cache() is 'Writes the metrics of the projects whose leads came or went.';

revoke all on function public.log_creation_activity(), public.log_status_change_activity(), public.update_conversation_stats(),
  public.refresh_metrics_cache(), fieldcrm.add_to_project_metrics(jsonb), fieldcrm.recount_project_metrics(),
  fieldcrm.delete_project_metrics() from public, anon, authenticated, service_role;

do $rls$
declare
  tab text;
  may constant text := $$(org_id = (select fieldcrm.current_org_id()) and ((select fieldcrm.has_capability('clients.manage'))
    or client_id = any ((select fieldcrm.client_ids(%L))::uuid[])))$$;
begin
  foreach tab in array array['leads', 'conversations', 'messages', 'crm_activities', 'metrics', 'reports'] loop
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select on public.%I to authenticated', tab);
    execute format('grant select, insert, update, delete on public.%I to service_role', tab);
    execute format('create policy "Members see what belongs to their clients" on public.%I for select to authenticated using (%s)',
      tab, format(may, 'viewer'));
  end loop;
  execute format('create policy "Members of the client add leads" on public.leads for insert to authenticated with check (%s and created_by_user_id = (select fieldcrm.current_profile_id()))', format(may, 'member'));
  execute format('create policy "Members of the client change leads" on public.leads for update to authenticated using (%s)', format(may, 'member'));
  execute format('create policy "Admins of the client delete leads" on public.leads for delete to authenticated using (%s)', format(may, 'admin'));
  execute format('create policy "Members of the client close and open conversations" on public.conversations for update to authenticated using (%s)', format(may, 'member'));
  -- Notes of calls and among colleagues; what goes out goes through crm_reply_to_conversation.
  execute format($p$create policy "Members of the client note calls and thoughts" on public.messages for insert to authenticated
    with check (%s and sender_type = 'user' and sender_id = (select fieldcrm.current_profile_id()) and direction = 'outbound'
      and message_type in ('call_note', 'internal') and status = 'sent')$p$, format(may, 'member'));
  execute format('create policy "Members of the client keep reports" on public.reports for insert to authenticated with check (%s and generated_by = (select fieldcrm.current_profile_id()))', format(may, 'member'));
  execute format('create policy "Admins of the client delete reports" on public.reports for delete to authenticated using (%s)', format(may, 'admin'));
end $rls$;
revoke all on public.activities from public, anon, authenticated, service_role;
grant select on public.activities to authenticated, service_role;
revoke update, delete on public.crm_activities from service_role;
grant insert (id, org_id, client_id, project_id, first_name, last_name, email, phone, phone_raw, status, source, notes, tags,
    custom_fields, assigned_to, created_by_user_id),
  update (first_name, last_name, email, phone, phone_raw, status, source, notes, tags, custom_fields, assigned_to), delete
  on public.leads to authenticated;
grant update (status) on public.conversations to authenticated;
grant insert (id, org_id, client_id, lead_id, conversation_id, sender_type, sender_id, content, message_type, direction, metadata)
  on public.messages to authenticated;
grant insert (id, org_id, client_id, project_id, name, type, config, data, generated_by), delete on public.reports to authenticated;

create unique index leads_replica_identity on public.leads (org_id, project_id, id);
alter table public.leads replica identity using index leads_replica_identity;
create unique index messages_replica_identity on public.messages (org_id, lead_id, id);
alter table public.messages replica identity using index messages_replica_identity;
alter publication supabase_realtime add table public.leads, public.messages;
