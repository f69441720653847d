-- Outgoing messages: what was asked for, what was decided about it, and how far it came. And what an org decides for
-- all of its messages.
-- squawk-ignore-file prefer-bigint-over-int

create table public.crm_messaging_settings (
  org_id uuid primary key default fieldcrm.current_org_id() references public.orgs (id) on delete cascade,
  from_name text,
  from_email text,
  reply_to_email text,
  from_phone text,
  whatsapp_phone_number_id text,
  quiet_hours_start time,
  quiet_hours_end time,
  suppression_segment_id uuid,
  marketing_cap_count integer,
  marketing_cap_hours integer,
  allow_unverified_marketing boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint crm_messaging_settings_suppression_segment_id_fkey foreign key (org_id, suppression_segment_id)
    references public.crm_segments (org_id, id) on delete restrict,
  constraint crm_messaging_settings_quiet_hours_check check ((quiet_hours_start is null) = (quiet_hours_end is null)),
  constraint crm_messaging_settings_cap_check check ((marketing_cap_count is null) = (marketing_cap_hours is null)
    and marketing_cap_count between 0 and 1000 and marketing_cap_hours between 1 and 8784),
  constraint crm_messaging_settings_text_check check (char_length(from_name) <= 200 and from_name !~ '[[:cntrl:]]'
    and from_email ~ '^[^[:space:][:cntrl:]<>@]+@[^[:space:][:cntrl:]<>@]+$' and char_length(from_email) <= 254
    and reply_to_email ~ '^[^[:space:][:cntrl:]<>@]+@[^[:space:][:cntrl:]<>@]+$' and char_length(reply_to_email) <= 254
    and from_phone ~ '^\+[1-9][0-9]{1,14}$' and whatsapp_phone_number_id ~ '^[0-9]{1,30}$')
);
create index idx_crm_messaging_settings_suppression_segment_id on public.crm_messaging_settings (org_id, suppression_segment_id)
  where suppression_segment_id is not null;
comment on table public.crm_messaging_settings is 'What an org decides for all its messages; where there is no row, the defaults hold.';
comment on column public.crm_messaging_settings.quiet_hours_start is 'Local time of the org: marketing waits until quiet_hours_end; over midnight where the end is earlier.';
comment on column public.crm_messaging_settings.suppression_segment_id is 'Nobody in this segment gets a message.';
comment on column public.crm_messaging_settings.marketing_cap_count is 'How many marketing messages a customer gets at most in marketing_cap_hours, over all channels.';
comment on column public.crm_messaging_settings.allow_unverified_marketing is 'Whether marketing may go to an address that nobody has verified.';

-- STOP, a bounce, a complaint: about an address, whoever has it.
create table public.crm_opt_outs (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  channel text not null,
  address text not null,
  reason text not null default 'stop',
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  constraint crm_opt_outs_org_id_channel_address_key unique (org_id, channel, address),
  constraint crm_opt_outs_channel_check check (channel in ('email', 'sms', 'whatsapp')),
  constraint crm_opt_outs_reason_check check (reason in ('stop', 'unsubscribe', 'bounce', 'complaint', 'manual')),
  constraint crm_opt_outs_address_check check (case channel when 'email' then address = lower(address)
    and char_length(address) between 3 and 254 else address ~ '^\+[1-9][0-9]{1,14}$' end)
);
create index idx_crm_opt_outs_created_by_user_id on public.crm_opt_outs (created_by_user_id);
comment on table public.crm_opt_outs is 'Addresses that get nothing any more: STOP, unsubscribed, bounced, complained.';

create table public.crm_outbox (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  customer_id uuid,
  contact_id uuid,
  user_id uuid,
  channel text not null,
  purpose text not null,
  to_address text,
  subject text,
  body text not null,
  payload jsonb,
  template_id uuid,
  automation_run_id uuid,
  status text not null default 'queued',
  scheduled_at timestamptz not null default now(),
  available_at timestamptz not null default now(),
  expires_at timestamptz,
  decision_code text,
  decision_reason text,
  decided_at timestamptz,
  attempts integer not null default 0,
  max_attempts integer not null default 8,
  lease_id uuid,
  leased_until timestamptz,
  provider text,
  provider_message_id text,
  error_code text,
  error_message text,
  sent_at timestamptz,
  delivered_at timestamptz,
  completed_at timestamptz,
  dedupe_key text,
  created_by_user_id uuid references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint crm_outbox_org_id_id_key unique (org_id, id),
  constraint crm_outbox_org_id_dedupe_key_key unique (org_id, dedupe_key),
  constraint crm_outbox_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint crm_outbox_contact_id_fkey foreign key (org_id, customer_id, contact_id)
    references public.customer_contacts (org_id, customer_id, id) on delete set null (contact_id),
  constraint crm_outbox_user_id_fkey foreign key (org_id, user_id)
    references public.profiles (org_id, id) on delete cascade,
  constraint crm_outbox_template_id_fkey foreign key (org_id, template_id)
    references public.crm_message_templates (org_id, id) on delete set null (template_id),
  constraint crm_outbox_automation_run_id_fkey foreign key (org_id, automation_run_id)
    references public.crm_automation_runs (org_id, id) on delete set null (automation_run_id),
  constraint crm_outbox_channel_check check (channel in ('email', 'sms', 'whatsapp', 'webhook')),
  constraint crm_outbox_purpose_check check (purpose in ('transactional', 'marketing')),
  constraint crm_outbox_status_check check (status in (
    'queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'unknown', 'refused', 'canceled')),
  -- For a customer or for a member of the org; only the first needs consent.
  constraint crm_outbox_recipient_check check (num_nonnulls(customer_id, user_id) >= 1 or channel = 'webhook'),
  constraint crm_outbox_address_check check (to_address is not null or status in ('refused', 'canceled')),
  constraint crm_outbox_lease_check check ((status = 'sending') = (leased_until is not null) and (status <> 'sending' or lease_id is not null)),
  constraint crm_outbox_text_check check (char_length(subject) <= 500 and char_length(body) <= 200000 and char_length(to_address) <= 2000
    and char_length(error_message) <= 2000 and char_length(decision_reason) <= 500),
  constraint crm_outbox_attempts_check check (attempts >= 0 and max_attempts between 1 and 20)
)
-- No index holds what a claim changes, and there is room beside each row: a claim writes to no index of the table.
with (fillfactor = 45);
create index idx_crm_outbox_customer_id on public.crm_outbox (org_id, customer_id, created_at desc);
create index idx_crm_outbox_created_at on public.crm_outbox (org_id, created_at desc);
create index idx_crm_outbox_contact_id on public.crm_outbox (contact_id) where contact_id is not null;
create index idx_crm_outbox_user_id on public.crm_outbox (org_id, user_id) where user_id is not null;
create index idx_crm_outbox_template_id on public.crm_outbox (template_id) where template_id is not null;
create index idx_crm_outbox_automation_run_id on public.crm_outbox (automation_run_id) where automation_run_id is not null;
create index idx_crm_outbox_provider_message_id on public.crm_outbox (provider_message_id) where provider_message_id is not null;
create index idx_crm_outbox_created_by_user_id on public.crm_outbox (created_by_user_id);
comment on table public.crm_outbox is 'Outgoing messages, and what became of them. Written by the RPCs only, so that none gets in unasked.';
comment on column public.crm_outbox.user_id is 'The member of the org that it is for, such as with a reminder.';
comment on column public.crm_outbox.scheduled_at is 'When it was wanted; available_at is when it may go: later, where quiet hours, a cap or a failed attempt say so.';
comment on column public.crm_outbox.decision_code is 'What the rules of consent last said: allowed, or why it waits or was refused.';
comment on column public.crm_outbox.lease_id is 'Who is sending it, or was the last to; only they may say how it went, and may say it twice.';
comment on column public.crm_outbox.status is 'Only goes forward: queued, sending, sent, delivered, read; or failed, unknown (nobody knows whether it went), refused, canceled.';
comment on column public.crm_outbox.dedupe_key is 'What makes it the same message: a second one with the key does not come into being.';

-- Providers report late, twice and out of order: what was known of a message stays known. Back to the queue goes
-- what is being tried, and by hand what failed or is unknown.
create function fieldcrm.guard_outbox_status() returns trigger
language plpgsql set search_path = '' as $$
begin
  if not (case old.status
    when 'queued' then new.status in ('sending', 'refused', 'canceled', 'failed')
    when 'sending' then new.status in ('queued', 'sent', 'delivered', 'read', 'failed', 'unknown', 'refused', 'canceled')
    when 'sent' then new.status in ('delivered', 'read', 'failed')
    when 'delivered' then new.status = 'read'
    when 'failed' then new.status = 'queued'
    when 'unknown' then new.status in ('queued', 'sent', 'delivered', 'read', 'failed')
    else false end)
  then
    raise exception using errcode = '23514', message = format('a message that is %s does not become %s', old.status, new.status);
  end if;
  return new;
end $$;
-- What every message goes through needs no function to be found right.
create trigger crm_outbox_guard_status before update of status on public.crm_outbox
  for each row when (new.status <> old.status and not (old.status = 'queued' and new.status = 'sending'))
  execute function fieldcrm.guard_outbox_status();

-- What somebody has to look at, and when: a message that waits when it is due, one that is being sent when its lease
-- runs out. Apart from the messages, because every claim changes it: their many indexes stay as they are.
create table fieldcrm.outbox_queue (
  org_id uuid not null,
  id uuid not null,
  channel text not null,
  due_at timestamptz not null,
  constraint outbox_queue_pkey primary key (org_id, id),
  constraint outbox_queue_id_fkey foreign key (org_id, id) references public.crm_outbox (org_id, id) on delete cascade
);
create index idx_outbox_queue_due_at on fieldcrm.outbox_queue (due_at);
comment on table fieldcrm.outbox_queue is 'Messages of the outbox that wait or are being sent, by when they are due or their lease runs out.';
alter table fieldcrm.outbox_queue enable row level security;
alter table fieldcrm.outbox_queue force row level security;
revoke all on fieldcrm.outbox_queue from public, anon, authenticated, service_role;

-- Whoever changes a message: what waits or is being sent is in the queue, what is over is not. Only what a claim hands out it
-- puts off itself, all of it at once.
create function fieldcrm.queue_messages() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into fieldcrm.outbox_queue (org_id, id, channel, due_at)
  select n.org_id, n.id, n.channel, coalesce(n.leased_until, n.available_at)
  from new_rows n
  where n.status in ('queued', 'sending');
  return null;
end $$;
create function fieldcrm.requeue_message() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if new.status in ('queued', 'sending') then
    insert into fieldcrm.outbox_queue (org_id, id, channel, due_at)
    values (new.org_id, new.id, new.channel, coalesce(new.leased_until, new.available_at))
    on conflict (org_id, id) do update set due_at = excluded.due_at;
  else
    delete from fieldcrm.outbox_queue q where q.org_id = new.org_id and q.id = new.id;
  end if;
  return null;
end $$;
revoke all on function fieldcrm.queue_messages(), fieldcrm.requeue_message() from public, anon, authenticated, service_role;
create trigger crm_outbox_queue after insert on public.crm_outbox referencing new table as new_rows
  for each statement execute function fieldcrm.queue_messages();
create trigger crm_outbox_requeue after update of status, available_at, leased_until on public.crm_outbox
  for each row when (case when new.status <> 'sending' then new.status <> old.status or new.available_at <> old.available_at
    else old.status = 'sending' and new.leased_until <> old.leased_until end)
  execute function fieldcrm.requeue_message();
create trigger crm_outbox_set_updated_at before update on public.crm_outbox
  for each row when (new.updated_at is distinct from now()) execute function fieldcrm.set_updated_at();
create trigger crm_messaging_settings_set_updated_at before update on public.crm_messaging_settings
  for each row execute function fieldcrm.set_updated_at();
create trigger crm_outbox_guard_closed after insert on public.crm_outbox referencing new table as new_rows
  for each statement execute function fieldcrm.guard_closed_customer();

do $rls$
declare
  tab text;
begin
  foreach tab in array array['crm_messaging_settings', 'crm_opt_outs', 'crm_outbox'] loop
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select on public.%I to authenticated, service_role', tab);
    execute format($$create policy "Staff see those of their org" on public.%I for select to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')))$$, tab);
  end loop;
end $rls$;
grant insert (org_id, from_name, from_email, reply_to_email, from_phone, whatsapp_phone_number_id, quiet_hours_start, quiet_hours_end,
    suppression_segment_id, marketing_cap_count, marketing_cap_hours, allow_unverified_marketing),
  update (from_name, from_email, reply_to_email, from_phone, whatsapp_phone_number_id, quiet_hours_start, quiet_hours_end,
    suppression_segment_id, marketing_cap_count, marketing_cap_hours, allow_unverified_marketing)
  on public.crm_messaging_settings to authenticated;
grant insert, update, delete on public.crm_messaging_settings to service_role;
grant insert, delete on public.crm_opt_outs to service_role;
grant insert (org_id, channel, address, reason, created_by_user_id), delete on public.crm_opt_outs to authenticated;
create policy "Org managers add them" on public.crm_messaging_settings for insert to authenticated
  with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('org.manage')));
create policy "Org managers change them" on public.crm_messaging_settings for update to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('org.manage')));
create policy "Who may send messages may add one" on public.crm_opt_outs for insert to authenticated
  with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('messages.send'))
    and created_by_user_id = (select fieldcrm.current_profile_id()));
-- To write again to who said stop is a decision of its own.
create policy "Org managers take one back" on public.crm_opt_outs for delete to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('org.manage')));
