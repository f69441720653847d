-- The doors to the outside: which org a number, a mailbox or a form belongs to, what providers delivered, and where the
-- org wants to be told what happens.
-- squawk-ignore-file prefer-bigint-over-int, prefer-robust-stmts, require-concurrent-index-creation, adding-foreign-key-constraint, constraint-missing-not-valid

create table public.org_channels (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  channel text not null,
  address text not null,
  client_id uuid,
  project_id uuid,
  is_enabled boolean not null default true,
  secret_name text,
  settings jsonb not null default '{}',
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint org_channels_org_id_id_key unique (org_id, id),
  -- One owner in the world: what comes in at it says nothing else about whose it is. The tenant cannot come first.
  constraint org_channels_channel_address_key unique (channel, address),
  constraint org_channels_project_id_fkey foreign key (org_id, client_id, project_id)
    references public.projects (org_id, client_id, id) on delete set null (project_id),
  constraint org_channels_client_id_fkey foreign key (org_id, client_id)
    references public.clients (org_id, id) on delete set null (client_id),
  constraint org_channels_channel_check check (channel in ('whatsapp', 'sms', 'email', 'form')),
  constraint org_channels_address_check check (case channel
    when 'whatsapp' then address ~ '^[0-9]{1,30}$'
    when 'sms' then address ~ '^\+[1-9][0-9]{1,14}$'
    when 'email' then address = lower(address) and char_length(address) between 3 and 254
    else address ~ '^[A-Za-z0-9_-]{16,100}$' end),
  constraint org_channels_secret_name_check check (secret_name ~ '^[A-Z][A-Z0-9_]{0,99}$'),
  constraint org_channels_settings_check check (jsonb_typeof(settings) = 'object'),
  constraint org_channels_project_check check (project_id is null or client_id is not null)
);
create index idx_org_channels_org_id on public.org_channels (org_id, channel);
create index idx_org_channels_project_id on public.org_channels (org_id, project_id) where project_id is not null;
create index idx_org_channels_client_id on public.org_channels (org_id, client_id) where client_id is not null;
create index idx_org_channels_created_by_user_id on public.org_channels (created_by_user_id);
comment on table public.org_channels is 'Which org and project what comes in belongs to: by WhatsApp number id, Twilio number, mailbox or form key.';
comment on column public.org_channels.secret_name is 'The name of the function secret that signs what comes in here; the secret itself is never in the database.';
comment on column public.org_channels.settings is 'source: what its leads have as theirs. Of a form also: fields (how its names map to ours), honeypot, max_per_minute.';

-- What a provider delivered, once, with what became of it. Inserted in the transaction of what it means.
create table public.webhook_events (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  channel_id uuid,
  provider text not null,
  provider_event_id text not null,
  event_type text not null,
  outcome text not null,
  payload jsonb,
  lead_id uuid,
  message_id uuid,
  interaction_id uuid,
  received_at timestamptz not null default now(),
  constraint webhook_events_org_id_provider_provider_event_id_key unique (org_id, provider, provider_event_id),
  constraint webhook_events_channel_id_fkey foreign key (org_id, channel_id)
    references public.org_channels (org_id, id) on delete set null (channel_id),
  constraint webhook_events_lead_id_fkey foreign key (org_id, lead_id)
    references public.leads (org_id, id) on delete set null (lead_id),
  constraint webhook_events_message_id_fkey foreign key (org_id, message_id)
    references public.messages (org_id, id) on delete set null (message_id),
  constraint webhook_events_interaction_id_fkey foreign key (org_id, interaction_id)
    references public.crm_interactions (org_id, id) on delete set null (interaction_id),
  constraint webhook_events_outcome_check check (outcome in ('message', 'interaction', 'no_project', 'status', 'lead', 'opt_out',
    'opt_in', 'bounce', 'complaint', 'ignored', 'unknown'))
);
create index idx_webhook_events_received_at on public.webhook_events (org_id, received_at desc, id);
create index idx_webhook_events_channel_id on public.webhook_events (org_id, channel_id);
create index idx_webhook_events_lead_id on public.webhook_events (org_id, lead_id) where lead_id is not null;
create index idx_webhook_events_message_id on public.webhook_events (org_id, message_id) where message_id is not null;
-- What strangers wrote, for who turns out to be one and asks to be forgotten.
create index idx_webhook_events_no_project on public.webhook_events (org_id, (payload ->> 'from')) where outcome = 'no_project';
create index idx_webhook_events_interaction_id on public.webhook_events (org_id, interaction_id) where interaction_id is not null;
comment on table public.webhook_events is 'What providers delivered: each event once. Written by crm_receive_webhook.';
comment on column public.webhook_events.payload is 'What came, where we did not understand it or no project takes it; null once it is a message or a lead.';
comment on column public.webhook_events.outcome is 'What it became. interaction: of a customer, where no project takes leads; no_project: of a stranger there; ignored: it changed nothing.';

-- How many forms a source may send: a row for each source and minute.
create table fieldcrm.form_submissions (
  org_id uuid not null,
  channel_id uuid not null,
  source text not null,
  minute timestamptz not null,
  count integer not null default 1,
  constraint form_submissions_pkey primary key (org_id, channel_id, source, minute)
);
alter table fieldcrm.form_submissions enable row level security;
alter table fieldcrm.form_submissions force row level security;
revoke all on fieldcrm.form_submissions from public, anon, authenticated, service_role;
comment on table fieldcrm.form_submissions is 'Counts what comes in through forms, for the rate limit; pruned after a day.';

-- Outgoing webhooks.
create table public.webhook_endpoints (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  url text not null,
  event_types text[] not null default '{}',
  description text,
  is_enabled boolean not null default true,
  disabled_reason text,
  failure_count integer not null default 0,
  failing_since timestamptz,
  resume_at timestamptz,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint webhook_endpoints_org_id_id_key unique (org_id, id),
  constraint webhook_endpoints_org_id_url_key unique (org_id, url),
  constraint webhook_endpoints_url_check check (url ~ '^https://' and char_length(url) <= 2000),
  constraint webhook_endpoints_event_types_check check (cardinality(event_types) <= 100)
);
create index idx_webhook_endpoints_created_by_user_id on public.webhook_endpoints (created_by_user_id);
comment on table public.webhook_endpoints is 'Where an org wants to be told of its events; the messages go through crm_outbox.';
comment on column public.webhook_endpoints.event_types is 'Which types of crm_events; all where it is empty.';
comment on column public.webhook_endpoints.disabled_reason is 'Why it was disabled by itself: gone (it answered 410), or failing (for days); null where somebody did it.';
comment on column public.webhook_endpoints.failure_count is 'Failed attempts since the last success.';
comment on column public.webhook_endpoints.failing_since is 'The first of them.';
comment on column public.webhook_endpoints.resume_at is 'After a few failures in a row nothing goes there before this.';
alter table public.crm_outbox
  add column webhook_endpoint_id uuid,
  add column event_id uuid,
  add constraint crm_outbox_webhook_endpoint_id_fkey foreign key (org_id, webhook_endpoint_id)
    references public.webhook_endpoints (org_id, id) on delete set null (webhook_endpoint_id);
create index idx_crm_outbox_webhook_endpoint_id on public.crm_outbox (org_id, webhook_endpoint_id, created_at desc, id desc)
  where webhook_endpoint_id is not null;
create index idx_crm_outbox_event_id on public.crm_outbox (org_id, created_at) where event_id is not null;
comment on column public.crm_outbox.event_id is 'The event that a webhook tells of: what its receivers know it by. Not a foreign key: events may be pruned.';
-- A client goes with its projects, in whatever order Postgres lets go of them.
create function fieldcrm.leave_project() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.project_id := null;
  return new;
end $$;
revoke all on function fieldcrm.leave_project() from public, anon, authenticated, service_role;
create trigger org_channels_leave_project before update of client_id on public.org_channels
  for each row when (new.client_id is null and new.project_id is not null) execute function fieldcrm.leave_project();
create trigger org_channels_set_updated_at before update on public.org_channels
  for each row execute function fieldcrm.set_updated_at();
create trigger webhook_endpoints_set_updated_at before update on public.webhook_endpoints
  for each row execute function fieldcrm.set_updated_at();

-- The leads of a person who is erased or deleted: that there were some, and what came of them, stays. Ids of providers hold
-- addresses; that of an event stays known by its digest.
create function fieldcrm.empty_leads(of_org uuid, customer_ids uuid[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  lead_ids constant uuid[] := array(select l.id from public.leads l where l.org_id = of_org and l.customer_id = any (customer_ids));
begin
  update public.leads l
  set first_name = null, last_name = null, email = null, phone = null, phone_raw = null, notes = null, tags = '[]', custom_fields = '{}'
  where l.org_id = of_org and l.id = any (lead_ids);
  update public.messages m set content = '', metadata = '{}', provider_message_id = null
  where m.org_id = of_org and m.lead_id = any (lead_ids);
  update public.webhook_events e
  set payload = null, provider_event_id = 'erased:' || encode(sha256(convert_to(e.provider_event_id, 'utf8')), 'hex')
  where e.org_id = of_org and e.lead_id = any (lead_ids) and not starts_with(e.provider_event_id, 'erased:');
  return cardinality(lead_ids);
end $$;
create function fieldcrm.empty_leads_of_deleted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform fieldcrm.empty_leads(old.org_id, array[old.id]);
  return old;
end $$;
-- Before: the foreign key lets go of them after.
create trigger customers_empty_leads before delete on public.customers
  for each row execute function fieldcrm.empty_leads_of_deleted();
revoke all on function fieldcrm.empty_leads(uuid, uuid[]), fieldcrm.empty_leads_of_deleted()
  from public, anon, authenticated, service_role;

-- A status, or a bounce, may be here before we know which message it is about: it waits as an event, and is found by what sends.
create index idx_webhook_events_early on public.webhook_events (org_id, (payload ->> 'provider_message_id'))
  where event_type in ('status', 'bounce') and payload is not null;
create function fieldcrm.apply_early_status() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  early jsonb;
  key constant text := 'fieldcrm.webhook:' || new.org_id;
begin
  -- The locks of crm_receive_webhook: either it sees the message, or this sees the status.
  perform pg_advisory_xact_lock_shared(hashtextextended(key, 0));
  perform pg_advisory_xact_lock(hashtextextended(concat_ws(':', key, 'message', new.provider, new.provider_message_id), 0));
  select e.payload into early
  from public.webhook_events e
  where e.org_id = new.org_id and e.payload ->> 'provider_message_id' = new.provider_message_id and e.provider = new.provider
    and e.event_type in ('status', 'bounce') and e.payload is not null
  order by array_position('{sent,failed,delivered,read}', e.payload ->> 'status') desc nulls last
  limit 1;
  if not coalesce(case new.status when 'sent' then early ->> 'status' <> 'sent' when 'delivered' then early ->> 'status' = 'read' end, false) then
    return new;
  end if;
  -- Of these a message has the status only.
  new := jsonb_populate_record(new, jsonb_build_object('status', early -> 'status') || case when early ->> 'status' = 'failed'
    then jsonb_build_object('error_code', coalesce(early ->> 'error_code', 'failed'), 'error_message', early -> 'error_message')
    else jsonb_build_object('delivered_at', now()) end);
  return new;
end $$;
create trigger crm_outbox_apply_early_status before update of provider_message_id on public.crm_outbox
  for each row when (new.provider_message_id is distinct from old.provider_message_id and new.provider_message_id is not null)
  execute function fieldcrm.apply_early_status();
create trigger messages_apply_early_status before insert on public.messages
  for each row when (new.direction = 'outbound' and new.provider_message_id is not null)
  execute function fieldcrm.apply_early_status();
revoke all on function fieldcrm.apply_early_status() from public, anon, authenticated, service_role;

do $rls$
declare
  tab text;
begin
  foreach tab in array array['org_channels', 'webhook_events', 'webhook_endpoints'] loop
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select on public.%I to authenticated', tab);
    execute format('grant select, insert, update, delete on public.%I to service_role', tab);
    execute format($$create policy "Org managers see those of their org" on public.%I for select to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('org.manage')))$$, tab);
    if tab <> 'webhook_events' then
      execute format($$create policy "Org managers delete them" on public.%I for delete to authenticated
        using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('org.manage')))$$, tab);
      execute format('grant delete on public.%I to authenticated', tab);
    end if;
  end loop;
end $rls$;
revoke insert, update, delete on public.webhook_events from service_role;
