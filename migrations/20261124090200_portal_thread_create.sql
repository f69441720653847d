-- What customers and the office write to each other in the portal, what customers follow of their visits, and what they are told.
-- squawk-ignore-file prefer-bigint-over-int, require-concurrent-index-creation, disallowed-unique-constraint

create type public.portal_thread_status as enum ('open', 'pending_customer', 'pending_internal', 'closed');
create type public.portal_sender_type as enum ('portal_customer', 'internal_user', 'system');

create table public.portal_threads (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  customer_id uuid not null,
  location_id uuid,
  related_work_order_id uuid,
  subject text not null,
  status public.portal_thread_status not null default 'open',
  assigned_to_user_id uuid,
  created_by_portal_account_id uuid,
  created_by_user_id uuid references auth.users (id) on delete set null,
  last_message_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint portal_threads_org_id_customer_id_id_key unique (org_id, customer_id, id),
  constraint portal_threads_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint portal_threads_location_id_fkey foreign key (org_id, customer_id, location_id)
    references public.customer_locations (org_id, customer_id, id) on delete set null (location_id),
  constraint portal_threads_related_work_order_id_fkey foreign key (org_id, customer_id, related_work_order_id)
    references public.work_orders (org_id, customer_id, id) on delete set null (related_work_order_id),
  constraint portal_threads_assigned_to_user_id_fkey foreign key (org_id, assigned_to_user_id)
    references public.profiles (org_id, id) on delete set null (assigned_to_user_id),
  constraint portal_threads_created_by_portal_account_id_fkey foreign key (org_id, created_by_portal_account_id)
    references public.portal_accounts (org_id, id) on delete set null (created_by_portal_account_id),
  constraint portal_threads_subject_check check (btrim(subject) <> '' and char_length(subject) <= 200)
);
create index idx_portal_threads_org_id_customer_id on public.portal_threads (org_id, customer_id, last_message_at desc, id desc);
create index idx_portal_threads_org_id_related_work_order_id on public.portal_threads (org_id, related_work_order_id) where related_work_order_id is not null;
create index idx_portal_threads_org_id_status on public.portal_threads (org_id, status, last_message_at desc, id desc);
create index idx_portal_threads_org_id_last_message_at on public.portal_threads (org_id, last_message_at desc, id desc);
create index idx_portal_threads_location_id on public.portal_threads (location_id) where location_id is not null;
create index idx_portal_threads_assigned_to_user_id on public.portal_threads (org_id, assigned_to_user_id) where assigned_to_user_id is not null;
create index idx_portal_threads_created_by_portal_account_id on public.portal_threads (org_id, created_by_portal_account_id);
create index idx_portal_threads_created_by_user_id on public.portal_threads (created_by_user_id);
comment on table public.portal_threads is 'Conversations of a customer with the office or the technician of a visit.';
comment on column public.portal_threads.status is 'pending_internal: the customer wrote last; pending_customer: we did.';

create table public.portal_messages (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  customer_id uuid not null,
  thread_id uuid not null,
  crm_interaction_id uuid,
  sender_type public.portal_sender_type not null,
  sender_portal_account_id uuid,
  sender_user_id uuid references auth.users (id) on delete set null,
  body text not null,
  attachments jsonb,
  sentiment public.sentiment,
  dedupe_key text,
  sent_at timestamptz not null default now(),
  read_at timestamptz,
  constraint portal_messages_org_id_dedupe_key_key unique (org_id, dedupe_key),
  constraint portal_messages_thread_id_fkey foreign key (org_id, customer_id, thread_id)
    references public.portal_threads (org_id, customer_id, id) on delete cascade on update cascade,
  constraint portal_messages_crm_interaction_id_fkey foreign key (org_id, customer_id, crm_interaction_id)
    references public.crm_interactions (org_id, customer_id, id) on delete set null (crm_interaction_id),
  constraint portal_messages_sender_portal_account_id_fkey foreign key (org_id, sender_portal_account_id)
    references public.portal_accounts (org_id, id) on delete set null (sender_portal_account_id),
  constraint portal_messages_sender_check check (case sender_type when 'portal_customer' then sender_user_id is null
    when 'internal_user' then sender_portal_account_id is null else sender_user_id is null and sender_portal_account_id is null end),
  constraint portal_messages_body_check check (char_length(body) <= 10000),
  constraint portal_messages_attachments_check check (jsonb_typeof(attachments) = 'array' and jsonb_array_length(attachments) <= 20)
);
create index idx_portal_messages_thread_id_sent_at on public.portal_messages (thread_id, sent_at desc, id desc);
create index idx_portal_messages_unread on public.portal_messages (thread_id) where read_at is null;
create index idx_portal_messages_thread_id_fkey on public.portal_messages (org_id, customer_id, thread_id);
create index idx_portal_messages_crm_interaction_id on public.portal_messages (crm_interaction_id) where crm_interaction_id is not null;
create index idx_portal_messages_sender_portal_account_id on public.portal_messages (org_id, sender_portal_account_id) where sender_portal_account_id is not null;
create index idx_portal_messages_sender_user_id on public.portal_messages (sender_user_id);
comment on table public.portal_messages is 'The messages of portal_threads, mirrored to crm_interactions.';
comment on column public.portal_messages.read_at is 'When the other side first read it.';

-- A visit as its customer may see it: of work_orders they see nothing, RLS hides no columns. Realtime streams it.
create table public.portal_appointments (
  work_order_id uuid primary key,
  org_id uuid not null references public.orgs (id),
  customer_id uuid not null,
  location_id uuid,
  service_type text,
  status text not null,
  window_start timestamptz,
  window_end timestamptz,
  eta timestamptz,
  updated_at timestamptz not null,
  constraint portal_appointments_work_order_id_fkey foreign key (org_id, work_order_id)
    references public.work_orders (org_id, id) on delete cascade
);
create unique index portal_appointments_replica_identity on public.portal_appointments (org_id, customer_id, work_order_id);
create index idx_portal_appointments_work_order_id on public.portal_appointments (org_id, work_order_id);
alter table public.portal_appointments replica identity using index portal_appointments_replica_identity;
comment on table public.portal_appointments is 'Work orders as far as their customers may see them, kept by the database.';

create function fieldcrm.mirror_appointments() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.portal_appointments as p
    (work_order_id, org_id, customer_id, location_id, service_type, status, window_start, window_end, eta, updated_at)
  select n.id, n.org_id, n.customer_id, n.location_id, n.service_type, n.status, n.window_start, n.window_end, n.eta, n.updated_at
  from new_rows n
  on conflict (work_order_id) do update set customer_id = excluded.customer_id, location_id = excluded.location_id,
    service_type = excluded.service_type, status = excluded.status, window_start = excluded.window_start,
    window_end = excluded.window_end, eta = excluded.eta, updated_at = excluded.updated_at
  where (p.customer_id, p.location_id, p.service_type, p.status, p.window_start, p.window_end, p.eta) is distinct from
    (excluded.customer_id, excluded.location_id, excluded.service_type, excluded.status, excluded.window_start,
      excluded.window_end, excluded.eta);
  return null;
end $$;
revoke all on function fieldcrm.mirror_appointments() from public, anon, authenticated, service_role;
create trigger work_orders_mirror_insert after insert on public.work_orders
  referencing new table as new_rows for each statement execute function fieldcrm.mirror_appointments();
create trigger work_orders_mirror_update after update on public.work_orders
  referencing new table as new_rows for each statement execute function fieldcrm.mirror_appointments();
insert into public.portal_appointments
  (work_order_id, org_id, customer_id, location_id, service_type, status, window_start, window_end, eta, updated_at)
select w.id, w.org_id, w.customer_id, w.location_id, w.service_type, w.status, w.window_start, w.window_end, w.eta, w.updated_at
from public.work_orders w;

-- Who is to be told what; consent and wording are decided when it is sent.
create table fieldcrm.portal_notices (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id) on delete cascade,
  customer_id uuid not null,
  kind text not null,
  subject_id uuid not null,
  payload jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  constraint portal_notices_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint portal_notices_kind_check check (kind in ('booking', 'appointment', 'message'))
);
create index idx_portal_notices_customer_id on fieldcrm.portal_notices (org_id, customer_id);
create index idx_portal_notices_created_at on fieldcrm.portal_notices (created_at);
comment on table fieldcrm.portal_notices is 'What the owners of portal accounts are to be told of; a job turns it into messages of the outbox.';
alter table fieldcrm.portal_notices enable row level security;
alter table fieldcrm.portal_notices force row level security;
revoke all on fieldcrm.portal_notices from public, anon, authenticated, service_role;

-- Whether somebody is there to be told: an active account of the customer, or of a manager who sees it.
create function fieldcrm.has_portal_audience(org uuid, customer uuid) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return exists (select from public.portal_accounts a where a.org_id = org and a.customer_id = customer and a.status = 'active')
    or exists (select from public.portal_account_access x join public.portal_accounts a on a.org_id = x.org_id and a.id = x.portal_account_id
      where x.org_id = org and x.customer_id = customer and a.status = 'active');
end $$;
create function fieldcrm.notice_bookings() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- That it is scheduled the visit says.
  insert into fieldcrm.portal_notices (org_id, customer_id, kind, subject_id, payload)
  select n.org_id, n.customer_id, 'booking', n.id, jsonb_build_object('change', n.status)
  from new_rows n
  where n.status <> 'scheduled' and fieldcrm.has_portal_audience(n.org_id, n.customer_id);
  return null;
end $$;
create function fieldcrm.notice_booking_changes() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into fieldcrm.portal_notices (org_id, customer_id, kind, subject_id, payload)
  select n.org_id, n.customer_id, 'booking', n.id, jsonb_build_object('change', n.status)
  from new_rows n join old_rows o on o.org_id = n.org_id and o.id = n.id
  where n.status <> o.status and n.status <> 'scheduled' and fieldcrm.has_portal_audience(n.org_id, n.customer_id);
  return null;
end $$;
create function fieldcrm.notice_appointments() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into fieldcrm.portal_notices (org_id, customer_id, kind, subject_id, payload)
  select n.org_id, n.customer_id, 'appointment', n.id, jsonb_build_object('change', 'scheduled')
  from new_rows n
  where n.status = 'scheduled' and n.window_start > now() and fieldcrm.has_portal_audience(n.org_id, n.customer_id);
  return null;
end $$;
create function fieldcrm.notice_appointment_changes() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into fieldcrm.portal_notices (org_id, customer_id, kind, subject_id, payload)
  select n.org_id, n.customer_id, 'appointment', n.id, jsonb_build_object('change', e.change)
  from new_rows n join old_rows o on o.org_id = n.org_id and o.id = n.id
  -- One of them: the furthest.
  cross join lateral (select case
    when n.status <> o.status and n.status <> 'scheduled' then n.status
    when n.status = 'scheduled' and n.window_start > now() and (n.window_start, n.window_end) is distinct from (o.window_start, o.window_end)
      then case when o.window_start is null then 'scheduled' else 'moved' end
    when n.status = 'en_route' and n.eta is distinct from o.eta and n.eta is not null then 'eta' end as change) e
  where e.change is not null and fieldcrm.has_portal_audience(n.org_id, n.customer_id);
  return null;
end $$;

-- Who of the office is told: those whom it concerns, if they are there; else who answers customers; else who leads. To be told is no
-- right: what is in it, each may read anyway.
create function fieldcrm.portal_desk(org uuid, concerned uuid[]) returns setof uuid
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  crew text[];
begin
  return query select p.id from public.profiles p where p.org_id = org and p.id = any (concerned) and p.status = 'active'
    and p.role not in ('portal_customer', 'portal_manager');
  if found then
    return;
  end if;
  foreach crew slice 1 in array array[array['csr', 'dispatcher', 'csr'], array['manager', 'admin', 'owner']] loop
    return query select p.id from public.profiles p where p.org_id = org and p.role = any (crew) and p.status = 'active';
    if found then
      return;
    end if;
  end loop;
end $$;
create function fieldcrm.tell_desk_of_bookings() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.crm_notifications (org_id, user_id, customer_id, type, title, body, data, dedupe_key)
  select n.org_id, d.user_id, n.customer_id, 'portal_booking', left('Booking request: ' || c.name, 300), left(n.problem_description, 500),
    jsonb_build_object('booking_request_id', n.id, 'service_type', n.service_type), 'portal_booking:' || n.id || ':' || d.user_id
  from new_rows n
  join public.customers c on c.org_id = n.org_id and c.id = n.customer_id
  cross join lateral fieldcrm.portal_desk(n.org_id, array[n.technician_id]) as d (user_id)
  on conflict (org_id, dedupe_key) do nothing;
  return null;
end $$;
create function fieldcrm.tell_of_messages() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.crm_notifications (org_id, user_id, customer_id, type, title, body, data, dedupe_key)
  select n.org_id, d.user_id, n.customer_id, 'portal_message', left('Message: ' || c.name, 300), left(concat_ws(': ', t.subject, nullif(n.body, '')), 500),
    jsonb_build_object('thread_id', n.thread_id, 'message_id', n.id), 'portal_message:' || n.id || ':' || d.user_id
  from new_rows n
  join public.customers c on c.org_id = n.org_id and c.id = n.customer_id
  join public.portal_threads t on t.org_id = n.org_id and t.customer_id = n.customer_id and t.id = n.thread_id
  left join public.work_orders w on w.org_id = t.org_id and w.id = t.related_work_order_id
  cross join lateral fieldcrm.portal_desk(n.org_id, array[t.assigned_to_user_id, w.technician_id]) as d (user_id)
  where n.sender_type = 'portal_customer'
  on conflict (org_id, dedupe_key) do nothing;
  insert into fieldcrm.portal_notices (org_id, customer_id, kind, subject_id, payload)
  select distinct n.org_id, n.customer_id, 'message', n.thread_id, '{"change": "message"}'::jsonb
  from new_rows n
  where n.sender_type <> 'portal_customer' and fieldcrm.has_portal_audience(n.org_id, n.customer_id);
  return null;
end $$;
revoke all on function fieldcrm.has_portal_audience(uuid, uuid), fieldcrm.notice_bookings(), fieldcrm.notice_booking_changes(), fieldcrm.notice_appointments(),
  fieldcrm.notice_appointment_changes(), fieldcrm.portal_desk(uuid, uuid[]), fieldcrm.tell_desk_of_bookings(), fieldcrm.tell_of_messages()
  from public, anon, authenticated, service_role;
create trigger portal_booking_requests_notice_insert after insert on public.portal_booking_requests
  referencing new table as new_rows for each statement execute function fieldcrm.notice_bookings();
create trigger portal_booking_requests_notice_update after update on public.portal_booking_requests
  referencing new table as new_rows old table as old_rows for each statement execute function fieldcrm.notice_booking_changes();
create trigger work_orders_notice_insert after insert on public.work_orders
  referencing new table as new_rows for each statement execute function fieldcrm.notice_appointments();
create trigger work_orders_notice_update after update on public.work_orders
  referencing new table as new_rows old table as old_rows for each statement execute function fieldcrm.notice_appointment_changes();
create trigger portal_booking_requests_tell_desk after insert on public.portal_booking_requests
  referencing new table as new_rows for each statement execute function fieldcrm.tell_desk_of_bookings();
create trigger portal_messages_tell after insert on public.portal_messages
  referencing new table as new_rows for each statement execute function fieldcrm.tell_of_messages();

create trigger portal_threads_set_updated_at before update on public.portal_threads
  for each row execute function fieldcrm.set_updated_at();
do $rls$
declare
  tab text;
begin
  foreach tab in array array['portal_threads', 'portal_messages'] loop
    execute format('create trigger %I after insert on public.%I referencing new table as new_rows
      for each statement execute function fieldcrm.guard_closed_customer()', tab || '_guard_closed', tab);
  end loop;
  foreach tab in array array['portal_threads', 'portal_messages', 'portal_appointments'] loop
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select on public.%I to authenticated, service_role', tab);
  end loop;
end $rls$;
-- portal_sees() is for those alone who see others: a row of somebody's own customer asks nothing more.
do $policies$
declare
  tab text;
begin
  foreach tab in array array['portal_threads', 'portal_appointments'] loop
    execute format($$create policy "Staff see those of their org, customers their own" on public.%I for select to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and ((select fieldcrm.has_capability('customers.read'))
        or customer_id = (select fieldcrm.portal_customer_id())
        or ((select fieldcrm.is_portal_manager()) and fieldcrm.portal_sees(customer_id, location_id))))$$, tab);
  end loop;
end $policies$;
create policy "Staff see those of their org, customers those of their threads" on public.portal_messages for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and ((select fieldcrm.has_capability('customers.read'))
    or customer_id = (select fieldcrm.portal_customer_id())
    or ((select fieldcrm.is_portal_manager()) and exists (
      select from public.portal_threads t where t.id = thread_id and t.org_id = portal_messages.org_id))));
-- How we read their mood, who of us answers, and what joins a message to our own records, is not theirs to see.
revoke select on public.portal_threads, public.portal_messages from authenticated;
grant select (id, org_id, customer_id, location_id, related_work_order_id, subject, status, created_by_portal_account_id,
  last_message_at, created_at, updated_at) on public.portal_threads to authenticated;
grant select (id, org_id, customer_id, thread_id, sender_type, sender_portal_account_id, body,
  attachments, sent_at, read_at) on public.portal_messages to authenticated;

create unique index portal_booking_requests_replica_identity on public.portal_booking_requests (org_id, customer_id, id);
alter table public.portal_booking_requests replica identity using index portal_booking_requests_replica_identity;
create unique index portal_messages_replica_identity on public.portal_messages (org_id, customer_id, thread_id, id);
alter table public.portal_messages replica identity using index portal_messages_replica_identity;
alter table public.portal_threads replica identity using index portal_threads_org_id_customer_id_id_key;
alter publication supabase_realtime add table public.portal_appointments, public.portal_messages, public.portal_threads,
  public.portal_booking_requests;

-- Plain Postgres has no Storage. What owners of accounts upload is theirs by its folder: <org id>/portal/<account id>/<file>.
create function fieldcrm.portal_uploads(org uuid, customers uuid[]) returns setof text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if to_regclass('storage.objects') is not null then
    return query
      select o.name::text from public.portal_accounts a
      join storage.objects o on o.bucket_id = 'attachments' and starts_with(o.name, org::text || '/portal/' || a.id::text || '/')
      where a.org_id = org and a.customer_id = any (customers)
        -- What was sent for somebody else is theirs.
        and not exists (select from public.portal_messages m where m.org_id = org and m.customer_id <> all (customers)
          and m.attachments @> jsonb_build_array(jsonb_build_object('object_name', o.name)))
        and not exists (select from public.portal_booking_requests b where b.org_id = org and b.customer_id <> all (customers)
          and b.attachments @> jsonb_build_array(jsonb_build_object('object_name', o.name)));
  end if;
end $$;
comment on function fieldcrm.portal_uploads(uuid, uuid[]) is 'The names of what the portal accounts of these customers uploaded to Storage, but for what they sent for other customers.';
revoke all on function fieldcrm.portal_uploads(uuid, uuid[]) from public, anon, authenticated, service_role;
do $storage$
begin
  if to_regclass('storage.objects') is null then
    return;
  end if;
  create policy "Owners of portal accounts upload to their folder" on storage.objects for insert to authenticated
    -- || and not concat_ws: without an account the folder is null, and nobody's.
    with check (bucket_id = 'attachments' and starts_with(name, (select fieldcrm.current_org_id())::text || '/portal/'
      || (select fieldcrm.portal_account_id())::text || '/'));
end $storage$;
