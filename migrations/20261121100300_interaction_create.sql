-- Interactions: the append-only history of what was said to and by a customer.

create type public.interaction_channel as enum (
  'phone_inbound', 'phone_outbound', 'email_inbound', 'email_outbound', 'sms_inbound', 'sms_outbound',
  'portal_message', 'note', 'in_person',
  'phone', 'email', 'meeting', 'chat', 'other', 'whatsapp_inbound', 'whatsapp_outbound');
create type public.interaction_direction as enum ('inbound', 'outbound', 'system_generated');
create type public.sentiment as enum ('positive', 'neutral', 'negative');

create table public.crm_interactions (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  customer_id uuid not null,
  location_id uuid,
  related_work_order_id uuid,
  related_quote_id uuid,
  channel public.interaction_channel not null,
  direction public.interaction_direction,
  type text,
  subject text,
  summary text,
  body text,
  metadata jsonb,
  sentiment public.sentiment,
  follow_up_date timestamptz,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  occurred_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  constraint crm_interactions_org_id_id_key unique (org_id, id),
  constraint crm_interactions_org_id_customer_id_id_key unique (org_id, customer_id, id),
  constraint crm_interactions_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade on update cascade,
  constraint crm_interactions_location_id_fkey foreign key (org_id, customer_id, location_id)
    references public.customer_locations (org_id, customer_id, id) on delete set null (location_id),
  constraint crm_interactions_related_work_order_id_fkey foreign key (org_id, customer_id, related_work_order_id)
    references public.work_orders (org_id, customer_id, id) on delete set null (related_work_order_id),
  constraint crm_interactions_related_quote_id_fkey foreign key (org_id, related_quote_id)
    references public.quotes (org_id, id) on delete set null (related_quote_id),
  constraint crm_interactions_text_check check (char_length(type) <= 100 and char_length(subject) <= 500
    and char_length(summary) <= 20000 and char_length(body) <= 200000),
  constraint crm_interactions_metadata_check check (jsonb_typeof(metadata) = 'object'),
  constraint crm_interactions_occurred_at_check check (
    occurred_at >= '1900-01-01 00:00:00+00' and occurred_at < '3000-01-01 00:00:00+00')
);
create index idx_crm_interactions_customer_id on public.crm_interactions (org_id, customer_id, occurred_at desc, id desc);
create index idx_crm_interactions_org_id_occurred_at on public.crm_interactions (org_id, occurred_at desc);
create index idx_crm_interactions_created_at on public.crm_interactions (org_id, customer_id, created_at desc);
create index idx_crm_interactions_location_id on public.crm_interactions (location_id) where location_id is not null;
create index idx_crm_interactions_related_work_order_id on public.crm_interactions (related_work_order_id)
  where related_work_order_id is not null;
create index idx_crm_interactions_related_quote_id on public.crm_interactions (related_quote_id)
  where related_quote_id is not null;
create index idx_crm_interactions_created_by_user_id on public.crm_interactions (created_by_user_id);
comment on table public.crm_interactions is 'What was said to and by a customer: calls, mails, messages, notes. Never changed; sentiment is added later.';
comment on column public.crm_interactions.type is 'Free label such as "Initial Call".';
comment on column public.crm_interactions.metadata is 'Provider ids, message ids, call duration in seconds.';
comment on column public.crm_interactions.follow_up_date is 'When to come back to it; makes a follow-up.';
comment on column public.crm_interactions.created_by_user_id is 'Null where the system wrote it.';

create function fieldcrm.set_interaction_direction() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.direction := (case
    when new.channel::text like '%\_inbound' then 'inbound'
    when new.channel::text like '%\_outbound' then 'outbound' end)::public.interaction_direction;
  return new;
end $$;
create trigger crm_interactions_set_direction before insert on public.crm_interactions
  for each row when (new.direction is null) execute function fieldcrm.set_interaction_direction();
create trigger crm_interactions_set_org_id before insert on public.crm_interactions
  for each row when (new.org_id is null) execute function fieldcrm.set_org_id();

-- Immutable for everybody, the owner of the database included; the erasure of a person may empty content,
-- a merge may move the row to the customer that stays, and sentiment is written once it is known.
create function fieldcrm.guard_interaction() returns trigger
language plpgsql set search_path = '' as $$
begin
  if (new.channel, new.direction, new.occurred_at, new.created_at, new.follow_up_date)
      is distinct from (old.channel, old.direction, old.occurred_at, old.created_at, old.follow_up_date)
    or (new.type is not null and new.type is distinct from old.type)
    or (new.subject is not null and new.subject is distinct from old.subject)
    or (new.summary is not null and new.summary is distinct from old.summary)
    or (new.body is not null and new.body is distinct from old.body)
    or (new.metadata is not null and new.metadata is distinct from old.metadata)
    or (new.created_by_user_id is not null and new.created_by_user_id is distinct from old.created_by_user_id)
  then
    raise exception using errcode = '42501', message = 'interactions are never changed',
      hint = 'Log a new interaction that corrects this one.';
  end if;
  return new;
end $$;
create trigger crm_interactions_guard before update on public.crm_interactions
  for each row execute function fieldcrm.guard_interaction();

alter table public.crm_interactions enable row level security;
alter table public.crm_interactions force row level security;
revoke all on public.crm_interactions from public, anon, authenticated, service_role;
grant select, insert on public.crm_interactions to authenticated;
grant select, insert, delete, update (sentiment) on public.crm_interactions to service_role;

create policy "Staff see the interactions of their org" on public.crm_interactions for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
create policy "Who may log logs in their own name, members for their own" on public.crm_interactions
  for insert to authenticated with check (org_id = (select fieldcrm.current_org_id())
    and created_by_user_id = (select fieldcrm.current_profile_id())
    and ((select fieldcrm.has_capability('interactions.write')) or fieldcrm.owns_customer(customer_id)));

-- The older clients' name and columns. A view does not stream: they subscribe to crm_interactions.
create view public.customer_interactions with (security_invoker = true) as
  select i.id, i.org_id, i.customer_id, i.type, i.channel, i.body as note, i.follow_up_date, i.created_at
  from public.crm_interactions i;
comment on view public.customer_interactions is 'crm_interactions under its older name: note is the body, created_at when it was logged.';
revoke all on public.customer_interactions from public, anon, authenticated, service_role;
grant select, insert on public.customer_interactions to authenticated, service_role;
