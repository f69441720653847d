-- Booking: what can be booked, who can do it and when, what is taken, and what customers asked for.
-- squawk-ignore-file prefer-bigint-over-int, prefer-bigint-over-smallint, require-concurrent-index-creation, adding-foreign-key-constraint, constraint-missing-not-valid, disallowed-unique-constraint, adding-field-with-default
-- (The work orders that this meets are few: no release came before it, and migrations run in a transaction.)

create type public.portal_booking_source as enum ('web_portal', 'mobile_app', 'ai_assistant');
create type public.portal_booking_status as enum (
  'submitted', 'under_review', 'approved', 'scheduled', 'rejected', 'canceled_by_customer');

create table public.service_types (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  code text not null,
  name text not null,
  description text,
  duration_minutes integer not null default 60,
  buffer_minutes integer not null default 0,
  capacity integer,
  is_bookable boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint service_types_org_id_id_key unique (org_id, id),
  constraint service_types_org_id_code_key unique (org_id, code),
  constraint service_types_code_check check (code ~ '^[a-z][a-z0-9_]{0,59}$'),
  constraint service_types_name_check check (btrim(name) <> '' and char_length(name) <= 200),
  constraint service_types_description_check check (char_length(description) <= 5000),
  constraint service_types_duration_minutes_check check (duration_minutes between 5 and 1440),
  constraint service_types_buffer_minutes_check check (buffer_minutes between 0 and 480),
  constraint service_types_capacity_check check (capacity between 1 and 100)
);
comment on table public.service_types is 'What can be booked; work orders name it by its code.';
comment on column public.service_types.buffer_minutes is 'For how long after a visit the technician stays taken.';
comment on column public.service_types.capacity is 'How many visits of the type there can be at the same time, whoever does them; as many as there are technicians where it is absent.';

create table public.technician_hours (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  technician_id uuid not null,
  weekday smallint not null,
  start_time time not null,
  end_time time not null,
  created_at timestamptz not null default now(),
  constraint technician_hours_technician_id_fkey foreign key (org_id, technician_id)
    references public.profiles (org_id, id) on delete cascade,
  constraint technician_hours_weekday_check check (weekday between 1 and 7),
  constraint technician_hours_time_check check (start_time < end_time),
  constraint technician_hours_technician_id_excl exclude using gist (org_id with =, technician_id with =, weekday with =,
    tsrange(date '2000-01-01' + start_time, date '2000-01-01' + end_time) with &&)
);
create index idx_technician_hours_technician_id on public.technician_hours (org_id, technician_id, weekday);
comment on table public.technician_hours is 'When technicians work, by the clock of the org''s zone. weekday is 1 for Monday to 7 for Sunday; 24:00 is the end of a day.';

create table public.technician_time_off (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  technician_id uuid not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  reason text,
  created_at timestamptz not null default now(),
  constraint technician_time_off_technician_id_fkey foreign key (org_id, technician_id)
    references public.profiles (org_id, id) on delete cascade,
  constraint technician_time_off_time_check check (starts_at < ends_at),
  constraint technician_time_off_reason_check check (char_length(reason) <= 500)
);
create index idx_technician_time_off_technician_id on public.technician_time_off (org_id, technician_id, ends_at);
comment on table public.technician_time_off is 'When a technician does not work in spite of technician_hours.';

create table public.blackout_days (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  day date not null,
  reason text,
  created_at timestamptz not null default now(),
  constraint blackout_days_org_id_day_key unique (org_id, day),
  constraint blackout_days_reason_check check (char_length(reason) <= 500)
);
comment on table public.blackout_days is 'Days of the org''s zone on which nobody can be booked.';

create table public.technician_skills (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  technician_id uuid not null,
  service_type_id uuid not null,
  created_at timestamptz not null default now(),
  constraint technician_skills_key unique (org_id, technician_id, service_type_id),
  constraint technician_skills_technician_id_fkey foreign key (org_id, technician_id)
    references public.profiles (org_id, id) on delete cascade,
  constraint technician_skills_service_type_id_fkey foreign key (org_id, service_type_id)
    references public.service_types (org_id, id) on delete cascade
);
create index idx_technician_skills_service_type_id on public.technician_skills (org_id, service_type_id);
comment on table public.technician_skills is 'Which types of service a technician can do; without a row, none.';

create table public.technician_areas (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  technician_id uuid not null,
  country text,
  postal_code_prefix text,
  latitude numeric,
  longitude numeric,
  radius_km numeric,
  created_at timestamptz not null default now(),
  constraint technician_areas_technician_id_fkey foreign key (org_id, technician_id)
    references public.profiles (org_id, id) on delete cascade,
  constraint technician_areas_form_check check (num_nonnulls(country, postal_code_prefix) in (0, 2)
    and num_nonnulls(latitude, longitude, radius_km) in (0, 3) and (country is null) <> (latitude is null)),
  constraint technician_areas_country_check check (country ~ '^[A-Z]{2}$'),
  constraint technician_areas_postal_code_prefix_check check (postal_code_prefix ~ '^[A-Z0-9]{1,10}$'),
  constraint technician_areas_latitude_check check (latitude between -90 and 90),
  constraint technician_areas_longitude_check check (longitude between -180 and 180),
  constraint technician_areas_radius_km_check check (radius_km > 0 and radius_km <= 1000)
);
create index idx_technician_areas_technician_id on public.technician_areas (org_id, technician_id);
comment on table public.technician_areas is 'Where a technician goes: by postal code (upper case, without blanks), or around a point. Everywhere, without a row.';

-- Visits that come again. A visit is known by its plan and the day that it is for, however often it is made or moved.
create table public.visit_plans (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  customer_id uuid not null,
  location_id uuid,
  technician_id uuid,
  service_type text,
  title text not null,
  starts_on date not null,
  start_time time not null,
  duration_minutes integer not null default 60,
  rrule text not null,
  is_active boolean not null default true,
  made_until date,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint visit_plans_org_id_customer_id_id_key unique (org_id, customer_id, id),
  constraint visit_plans_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint visit_plans_location_id_fkey foreign key (org_id, customer_id, location_id)
    references public.customer_locations (org_id, customer_id, id) on delete set null (location_id),
  constraint visit_plans_technician_id_fkey foreign key (org_id, technician_id)
    references public.profiles (org_id, id) on delete set null (technician_id),
  constraint visit_plans_service_type_check check (service_type ~ '^[a-z][a-z0-9_]{0,59}$'),
  constraint visit_plans_title_check check (btrim(title) <> '' and char_length(title) <= 200),
  constraint visit_plans_duration_minutes_check check (duration_minutes between 5 and 1440),
  constraint visit_plans_rrule_check check (char_length(rrule) <= 500)
);
create index idx_visit_plans_customer_id on public.visit_plans (org_id, customer_id);
create index idx_visit_plans_location_id on public.visit_plans (location_id) where location_id is not null;
create index idx_visit_plans_technician_id on public.visit_plans (org_id, technician_id) where technician_id is not null;
create index idx_visit_plans_created_by_user_id on public.visit_plans (created_by_user_id);
create index idx_visit_plans_made_until on public.visit_plans (org_id, made_until nulls first) where is_active;
comment on table public.visit_plans is 'Visits that come again, such as a yearly inspection.';
comment on column public.visit_plans.rrule is 'RFC 5545 recurrence rule (FREQ=YEARLY;…) from starts_on, in the org''s zone.';
comment on column public.visit_plans.made_until is 'Up to which day its work orders have been made.';

alter table public.work_orders
  add column reschedule_count integer not null default 0,
  add column buffer_minutes integer not null default 0,
  add column visit_plan_id uuid,
  add column occurrence_on date,
  add constraint work_orders_org_id_visit_plan_id_occurrence_on_key unique (org_id, visit_plan_id, occurrence_on),
  add constraint work_orders_visit_plan_id_fkey foreign key (org_id, customer_id, visit_plan_id)
    references public.visit_plans (org_id, customer_id, id) on delete set null (visit_plan_id),
  add constraint work_orders_reschedule_count_check check (reschedule_count >= 0),
  add constraint work_orders_buffer_minutes_check check (buffer_minutes between 0 and 480);
comment on column public.work_orders.buffer_minutes is 'For how long after it the technician stays taken: of what customers booked, as its service type has it; none where staff say nothing.';
comment on column public.work_orders.reschedule_count is 'How often the customer has moved it.';
comment on column public.work_orders.occurrence_on is 'Which day of its visit_plan it is for.';

create table public.portal_booking_requests (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  portal_account_id uuid not null,
  customer_id uuid not null,
  location_id uuid,
  preferred_service_date date,
  preferred_time_window_start time,
  preferred_time_window_end time,
  flexible_date boolean not null default false,
  service_type text not null,
  problem_description text not null,
  attachments jsonb,
  source_channel public.portal_booking_source not null default 'web_portal',
  status public.portal_booking_status not null default 'submitted',
  starts_at timestamptz,
  ends_at timestamptz,
  technician_id uuid,
  review_note text,
  reviewed_by_user_id uuid references auth.users (id) on delete set null,
  reviewed_at timestamptz,
  related_work_order_id uuid,
  canceled_at timestamptz,
  cancel_reason text,
  dedupe_key text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint portal_booking_requests_org_id_id_key unique (org_id, id),
  constraint portal_booking_requests_org_id_dedupe_key_key unique (org_id, dedupe_key),
  constraint portal_booking_requests_portal_account_id_fkey foreign key (org_id, portal_account_id)
    references public.portal_accounts (org_id, id) on delete cascade,
  constraint portal_booking_requests_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint portal_booking_requests_location_id_fkey foreign key (org_id, customer_id, location_id)
    references public.customer_locations (org_id, customer_id, id) on delete set null (location_id),
  constraint portal_booking_requests_service_type_fkey foreign key (org_id, service_type)
    references public.service_types (org_id, code) on update cascade,
  constraint portal_booking_requests_technician_id_fkey foreign key (org_id, technician_id)
    references public.profiles (org_id, id) on delete set null (technician_id),
  constraint portal_booking_requests_related_work_order_id_fkey foreign key (org_id, customer_id, related_work_order_id)
    references public.work_orders (org_id, customer_id, id) on delete set null (related_work_order_id),
  constraint portal_booking_requests_window_check check (preferred_time_window_start < preferred_time_window_end),
  constraint portal_booking_requests_slot_check check ((starts_at is null) = (ends_at is null) and starts_at < ends_at),
  constraint portal_booking_requests_text_check check (btrim(problem_description) <> '' and char_length(problem_description) <= 5000
    and char_length(review_note) <= 2000 and char_length(cancel_reason) <= 2000),
  constraint portal_booking_requests_attachments_check check (jsonb_typeof(attachments) = 'array' and jsonb_array_length(attachments) <= 20)
);
create index idx_portal_booking_requests_customer_id on public.portal_booking_requests (org_id, customer_id, created_at desc);
create index idx_portal_booking_requests_org_id_status_created_at on public.portal_booking_requests (org_id, status, created_at);
create index idx_portal_booking_requests_portal_account_id on public.portal_booking_requests (org_id, portal_account_id);
create index idx_portal_booking_requests_location_id on public.portal_booking_requests (location_id);
create index idx_portal_booking_requests_service_type on public.portal_booking_requests (org_id, service_type);
create index idx_portal_booking_requests_technician_id on public.portal_booking_requests (org_id, technician_id) where technician_id is not null;
create index idx_portal_booking_requests_related_work_order_id on public.portal_booking_requests (related_work_order_id) where related_work_order_id is not null;
create index idx_portal_booking_requests_reviewed_by_user_id on public.portal_booking_requests (reviewed_by_user_id);
comment on table public.portal_booking_requests is 'What customers asked for in the portal. What staff note of it (review_note) the customer reads.';
comment on column public.portal_booking_requests.starts_at is 'The slot that was picked, if one was; it stays taken until the request is decided.';

create table public.portal_booking_holds (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  portal_account_id uuid not null,
  customer_id uuid not null,
  location_id uuid,
  service_type_id uuid not null,
  technician_id uuid not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  buffer_minutes integer not null default 0,
  unit smallint,
  expires_at timestamptz,
  booking_request_id uuid,
  created_at timestamptz not null default now(),
  constraint portal_booking_holds_org_id_id_key unique (org_id, id),
  constraint portal_booking_holds_org_id_booking_request_id_key unique (org_id, booking_request_id),
  constraint portal_booking_holds_portal_account_id_fkey foreign key (org_id, portal_account_id)
    references public.portal_accounts (org_id, id) on delete cascade,
  constraint portal_booking_holds_location_id_fkey foreign key (org_id, customer_id, location_id)
    references public.customer_locations (org_id, customer_id, id) on delete set null (location_id),
  constraint portal_booking_holds_service_type_id_fkey foreign key (org_id, service_type_id)
    references public.service_types (org_id, id) on delete cascade,
  constraint portal_booking_holds_technician_id_fkey foreign key (org_id, technician_id)
    references public.profiles (org_id, id) on delete cascade,
  constraint portal_booking_holds_booking_request_id_fkey foreign key (org_id, booking_request_id)
    references public.portal_booking_requests (org_id, id) on delete cascade,
  constraint portal_booking_holds_time_check check (starts_at < ends_at),
  constraint portal_booking_holds_expires_at_check check ((expires_at is null) = (booking_request_id is not null)),
  constraint portal_booking_holds_buffer_minutes_check check (buffer_minutes between 0 and 480)
);
create index idx_portal_booking_holds_portal_account_id on public.portal_booking_holds (org_id, portal_account_id);
create index idx_portal_booking_holds_location_id on public.portal_booking_holds (location_id);
create index idx_portal_booking_holds_service_type_id on public.portal_booking_holds (org_id, service_type_id);
create index idx_portal_booking_holds_technician_id on public.portal_booking_holds (org_id, technician_id, starts_at);
create index idx_portal_booking_holds_expires_at on public.portal_booking_holds (expires_at) where expires_at is not null;
create index idx_portal_booking_holds_starts_at on public.portal_booking_holds (starts_at) where booking_request_id is not null;
comment on table public.portal_booking_holds is 'Slots that are kept for somebody: until expires_at, or for as long as their booking request is open.';
comment on column public.portal_booking_holds.unit is 'Which one of the service type''s capacity it has.';

-- What is taken of technicians: visits and holds alike, with the buffer after them. Nobody checks first: the constraint decides.
create table fieldcrm.reservations (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  technician_id uuid not null,
  during tstzrange not null,
  service_type_id uuid,
  unit smallint,
  work_order_id uuid,
  hold_id uuid,
  latitude real,
  longitude real,
  starts_at timestamptz not null generated always as (lower(during)) stored,
  packed bytea not null generated always as (
    int4send(floor(date_part('epoch', lower(during) - timestamptz '2000-01-01 00:00Z') / 60)::integer)
    || int4send(ceil(date_part('epoch', upper(during) - timestamptz '2000-01-01 00:00Z') / 60)::integer)
    || float4send(coalesce(latitude, 'NaN')) || float4send(coalesce(longitude, 'NaN'))) stored,
  constraint reservations_org_id_work_order_id_key unique (org_id, work_order_id),
  constraint reservations_org_id_hold_id_key unique (org_id, hold_id),
  constraint reservations_technician_id_fkey foreign key (org_id, technician_id)
    references public.profiles (org_id, id) on delete cascade,
  constraint reservations_service_type_id_fkey foreign key (org_id, service_type_id)
    references public.service_types (org_id, id) on delete set null (service_type_id),
  constraint reservations_work_order_id_fkey foreign key (org_id, work_order_id)
    references public.work_orders (org_id, id) on delete cascade,
  constraint reservations_hold_id_fkey foreign key (org_id, hold_id)
    references public.portal_booking_holds (org_id, id) on delete cascade,
  constraint reservations_owner_check check (num_nonnulls(work_order_id, hold_id) = 1),
  constraint reservations_technician_id_excl exclude using gist (org_id with =, technician_id with =, during with &&),
  -- A type with a capacity has that many units; each is in one place at a time.
  constraint reservations_unit_excl exclude using gist (org_id with =, service_type_id with =, unit with =, during with &&)
    where (unit is not null)
);
-- Everything about a technician's weeks is in the index: its table is not asked.
create index idx_reservations_technician_id on fieldcrm.reservations (org_id, technician_id, starts_at)
  include (packed, hold_id, work_order_id);
create index idx_reservations_service_type_id on fieldcrm.reservations (org_id, service_type_id) where service_type_id is not null;
comment on table fieldcrm.reservations is 'What is taken of technicians, by visits and by holds; kept by the database.';
alter table fieldcrm.reservations enable row level security;
alter table fieldcrm.reservations force row level security;
revoke all on fieldcrm.reservations from public, anon, authenticated, service_role;
comment on column fieldcrm.reservations.latitude is 'Where the technician is then, as the location has it.';
comment on column fieldcrm.reservations.packed is 'When (in minutes) and where in 16 bytes, as core reads them: thousands at once.';

-- The one mechanism against two visits at once, staff's and customers'.
alter table public.work_orders drop constraint work_orders_technician_id_excl;

-- Whoever takes a technician's time takes turns, also with those who give it up: two visits that change places do not wait for
-- each other. Holds that ran out go, whoever finds them in the way.
create or replace function fieldcrm.book_technician() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  technician uuid;
begin
  for technician in
    select x.id from unnest(array[new.technician_id, case when tg_op = 'UPDATE' then old.technician_id end]) as x (id)
    where x.id is not null group by x.id order by x.id loop
    perform pg_advisory_xact_lock(hashtextextended('fieldcrm.technician:' || technician::text, 0));
  end loop;
  -- One that is being booked at this moment stays: it is in the way.
  delete from public.portal_booking_holds h where h.org_id = new.org_id and h.id in (
    select x.id from public.portal_booking_holds x
    where x.org_id = new.org_id and x.technician_id = new.technician_id and x.expires_at <= clock_timestamp()
    for update skip locked);
  return new;
end $$;
revoke all on function fieldcrm.book_technician() from public, anon, authenticated, service_role;
drop trigger work_orders_book_technician on public.work_orders;
create trigger work_orders_book_technician
  before insert or update of technician_id, window_start, window_end, buffer_minutes, status on public.work_orders
  for each row when (new.technician_id is not null and new.window_start is not null
    and new.status in ('scheduled', 'en_route', 'on_site'))
  execute function fieldcrm.book_technician();
create trigger portal_booking_holds_book_technician before insert on public.portal_booking_holds
  for each row execute function fieldcrm.book_technician();

-- What a work order takes of its technician; nothing without one, without a time, or once it is over.
create function fieldcrm.reserve_work_orders() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'UPDATE' then
    -- Away first: a statement may shift a whole day. What staff move has no unit of a capacity any more, and is counted beyond it.
    delete from fieldcrm.reservations r
    using new_rows n join old_rows o using (id)
    where r.org_id = n.org_id and r.work_order_id = n.id and (
      n.status not in ('scheduled', 'en_route', 'on_site')
      or (n.technician_id, n.window_start, n.window_end, n.buffer_minutes, n.location_id, n.service_type)
        is distinct from (o.technician_id, o.window_start, o.window_end, o.buffer_minutes, o.location_id, o.service_type));
    insert into fieldcrm.reservations (org_id, technician_id, during, service_type_id, work_order_id, latitude, longitude)
    select n.org_id, n.technician_id, tstzrange(n.window_start, n.window_end + make_interval(mins => n.buffer_minutes)), s.id, n.id,
      l.latitude, l.longitude
    from new_rows n join old_rows o using (id)
    left join public.service_types s on s.org_id = n.org_id and s.code = n.service_type
    left join public.customer_locations l on l.org_id = n.org_id and l.id = n.location_id
    where n.technician_id is not null and n.window_start is not null and n.status in ('scheduled', 'en_route', 'on_site')
      and (n.technician_id, n.window_start, n.window_end, n.buffer_minutes, n.location_id, n.service_type,
          n.status in ('scheduled', 'en_route', 'on_site'))
        is distinct from (o.technician_id, o.window_start, o.window_end, o.buffer_minutes, o.location_id, o.service_type,
          o.status in ('scheduled', 'en_route', 'on_site'));
    return null;
  end if;
  insert into fieldcrm.reservations (org_id, technician_id, during, service_type_id, work_order_id, latitude, longitude)
  select n.org_id, n.technician_id, tstzrange(n.window_start, n.window_end + make_interval(mins => n.buffer_minutes)), s.id, n.id,
    l.latitude, l.longitude
  from new_rows n
  left join public.service_types s on s.org_id = n.org_id and s.code = n.service_type
  left join public.customer_locations l on l.org_id = n.org_id and l.id = n.location_id
  where n.technician_id is not null and n.window_start is not null and n.status in ('scheduled', 'en_route', 'on_site');
  return null;
end $$;
create trigger work_orders_reserve_new after insert on public.work_orders
  referencing new table as new_rows for each statement execute function fieldcrm.reserve_work_orders();
create trigger work_orders_reserve_changed after update on public.work_orders
  referencing new table as new_rows old table as old_rows for each statement execute function fieldcrm.reserve_work_orders();

-- Holds are made and go; their time stays as it is.
create function fieldcrm.reserve_holds() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into fieldcrm.reservations (org_id, technician_id, during, service_type_id, unit, hold_id, latitude, longitude)
  select n.org_id, n.technician_id, tstzrange(n.starts_at, n.ends_at + make_interval(mins => n.buffer_minutes)), n.service_type_id,
    n.unit, n.id, l.latitude, l.longitude
  from new_rows n
  left join public.customer_locations l on l.org_id = n.org_id and l.id = n.location_id;
  return null;
end $$;
create trigger portal_booking_holds_reserve after insert on public.portal_booking_holds
  referencing new table as new_rows for each statement execute function fieldcrm.reserve_holds();

create function fieldcrm.move_reservations() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from new_rows n join old_rows o using (id)
      where (n.latitude, n.longitude) is distinct from (o.latitude, o.longitude)) then
    return null;
  end if;
  update fieldcrm.reservations r set latitude = n.latitude, longitude = n.longitude
  from new_rows n join public.work_orders w on w.location_id = n.id and w.org_id = n.org_id
  where r.org_id = n.org_id and r.work_order_id = w.id;
  update fieldcrm.reservations r set latitude = n.latitude, longitude = n.longitude
  from new_rows n join public.portal_booking_holds h on h.location_id = n.id and h.org_id = n.org_id
  where r.org_id = n.org_id and r.hold_id = h.id;
  return null;
end $$;
create trigger customer_locations_move_reservations after update on public.customer_locations
  referencing new table as new_rows old table as old_rows for each statement execute function fieldcrm.move_reservations();
revoke all on function fieldcrm.reserve_work_orders(), fieldcrm.reserve_holds(), fieldcrm.move_reservations()
  from public, anon, authenticated, service_role;

insert into fieldcrm.reservations (org_id, technician_id, during, work_order_id, latitude, longitude)
select w.org_id, w.technician_id, tstzrange(w.window_start, w.window_end), w.id, l.latitude, l.longitude
from public.work_orders w
left join public.customer_locations l on l.org_id = w.org_id and l.id = w.location_id
where w.technician_id is not null and w.window_start is not null and w.status in ('scheduled', 'en_route', 'on_site');

do $rls$
declare
  tab text;
  -- Who schedules work keeps the calendars; what can be booked is the org's to decide.
  may_write text;
begin
  foreach tab in array array['service_types', 'visit_plans', 'portal_booking_requests'] loop
    execute format('create trigger %I before update on public.%I for each row execute function fieldcrm.set_updated_at()', tab || '_set_updated_at', tab);
  end loop;
  foreach tab in array array['visit_plans', 'portal_booking_requests'] loop
    execute format('create trigger %I after insert on public.%I referencing new table as new_rows
      for each statement execute function fieldcrm.guard_closed_customer()', tab || '_guard_closed', tab);
  end loop;
  foreach tab in array array['service_types', 'technician_hours', 'technician_time_off', 'blackout_days', 'technician_skills',
    'technician_areas', 'visit_plans', 'portal_booking_requests', 'portal_booking_holds'] loop
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select on public.%I to authenticated, service_role', tab);
    execute format($$create policy "Staff see those of their org%s" on public.%I for select to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and ((select fieldcrm.has_capability('customers.read'))%s))$$,
      case tab when 'portal_booking_requests' then ', customers their own' end, tab,
      -- One policy for each command: the planner asks all of them.
      case tab when 'portal_booking_requests' then ' or customer_id = (select fieldcrm.portal_customer_id())
        or ((select fieldcrm.is_portal_manager()) and fieldcrm.portal_sees(customer_id, location_id))' end);
    continue when tab in ('portal_booking_requests', 'portal_booking_holds');
    may_write := format($$org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability(%L))$$,
      case tab when 'service_types' then 'org.manage' else 'work_orders.write' end);
    execute format('grant insert, update, delete on public.%I to authenticated, service_role', tab);
    execute format('create policy "Who keeps the calendars adds them" on public.%I for insert to authenticated with check (%s)', tab, may_write);
    execute format('create policy "Who keeps the calendars changes them" on public.%I for update to authenticated using (%s)', tab, may_write);
    execute format('create policy "Who keeps the calendars deletes them" on public.%I for delete to authenticated using (%s)', tab, may_write);
  end loop;
end $rls$;
-- Another rule is asked from the beginning; what was made for a day stays its one visit.
create function fieldcrm.restart_visit_plan() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.made_until := null;
  return new;
end $$;
revoke all on function fieldcrm.restart_visit_plan() from public, anon, authenticated, service_role;
create trigger visit_plans_restart before update of rrule, starts_on on public.visit_plans
  for each row when (new.rrule <> old.rrule or new.starts_on <> old.starts_on) execute function fieldcrm.restart_visit_plan();
create trigger visit_plans_keep_creator before update of created_by_user_id on public.visit_plans
  for each row when (new.created_by_user_id is distinct from old.created_by_user_id) execute function fieldcrm.keep_creator();
-- Customers read the table too (realtime): who is to come, and who decided, is not theirs to see.
revoke select on public.portal_booking_requests from authenticated;
grant select (id, org_id, portal_account_id, customer_id, location_id, preferred_service_date, preferred_time_window_start,
  preferred_time_window_end, flexible_date, service_type, problem_description, attachments, source_channel, status, starts_at, ends_at,
  review_note, reviewed_at, related_work_order_id, canceled_at, cancel_reason, created_at, updated_at)
  on public.portal_booking_requests to authenticated;
