-- Work orders (scheduled visits), and the quotes and invoices that come of them: the part of
-- scheduling and billing that customers, automation and the portal stand on.

create extension if not exists btree_gist with schema extensions;

create table public.work_orders (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  customer_id uuid not null,
  location_id uuid,
  technician_id uuid,
  service_type text,
  title text not null,
  description text,
  -- Text, not an enum: = on text is leakproof, so an index on it serves queries under RLS.
  status text not null default 'scheduled',
  window_start timestamptz,
  window_end timestamptz,
  eta timestamptz,
  en_route_at timestamptz,
  started_at timestamptz,
  completed_at timestamptz,
  canceled_at timestamptz,
  cancel_reason text,
  customer_notes text,
  internal_notes text,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint work_orders_org_id_id_key unique (org_id, id),
  constraint work_orders_org_id_customer_id_id_key unique (org_id, customer_id, id),
  constraint work_orders_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint work_orders_location_id_fkey foreign key (org_id, customer_id, location_id)
    references public.customer_locations (org_id, customer_id, id) on delete set null (location_id),
  constraint work_orders_technician_id_fkey foreign key (org_id, technician_id)
    references public.profiles (org_id, id) on delete set null (technician_id),
  constraint work_orders_status_check check (status in ('scheduled', 'en_route', 'on_site', 'completed', 'canceled')),
  constraint work_orders_window_check check (
    (window_start is null) = (window_end is null) and window_end > window_start
    and window_end - window_start <= interval '31 days'),
  constraint work_orders_title_check check (btrim(title) <> '' and char_length(title) <= 200),
  constraint work_orders_service_type_check check (service_type ~ '^[a-z][a-z0-9_]{0,59}$'),
  constraint work_orders_text_check check (char_length(description) <= 20000 and char_length(customer_notes) <= 20000
    and char_length(internal_notes) <= 20000 and char_length(cancel_reason) <= 2000),
  -- Two active visits of one technician never overlap, whoever writes them and at the same moment too.
  constraint work_orders_technician_id_excl exclude using gist (
    org_id with =, technician_id with =, tstzrange(window_start, window_end) with &&)
    where (technician_id is not null and window_start is not null and status in ('scheduled', 'en_route', 'on_site'))
);
create index idx_work_orders_customer_id on public.work_orders (org_id, customer_id, created_at desc, id);
create index idx_work_orders_timeline on public.work_orders
  (org_id, customer_id, (coalesce(completed_at, window_start, created_at)) desc, id desc);
create index idx_work_orders_window_start on public.work_orders (org_id, window_start);
create index idx_work_orders_technician_id on public.work_orders (org_id, technician_id, window_start);
create index idx_work_orders_location_id on public.work_orders (location_id) where location_id is not null;
create index idx_work_orders_created_by_user_id on public.work_orders (created_by_user_id);
comment on table public.work_orders is 'Visits to customers: what is to be done, when, by whom, and how far it is.';
comment on column public.work_orders.service_type is 'A snake_case name such as hvac_repair.';
comment on column public.work_orders.window_start is 'Start of the visit; with window_end the time the technician is taken.';
comment on column public.work_orders.eta is 'When the technician is expected to arrive; set while en route.';
comment on column public.work_orders.customer_notes is 'What the customer may read.';
comment on column public.work_orders.internal_notes is 'What the customer never sees.';

-- Two sessions that each wrote a row and then check it against the other's wait for each other: a deadlock, where one
-- should be refused. So the visits of one technician are written one after the other.
create function fieldcrm.book_technician() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('fieldcrm.technician:' || new.technician_id::text, 0));
  return new;
end $$;
create trigger work_orders_book_technician
  before insert or update of technician_id, window_start, window_end, status on public.work_orders
  for each row when (new.technician_id is not null and new.window_start is not null
    and new.status in ('scheduled', 'en_route', 'on_site'))
  execute function fieldcrm.book_technician();

create table public.work_order_events (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  work_order_id uuid not null,
  type text not null,
  old_values jsonb,
  new_values jsonb,
  created_by_user_id uuid references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  constraint work_order_events_work_order_id_fkey foreign key (org_id, work_order_id)
    references public.work_orders (org_id, id) on delete cascade,
  constraint work_order_events_type_check check (type in ('created', 'status', 'schedule', 'technician', 'eta'))
);
create index idx_work_order_events_work_order_id on public.work_order_events (org_id, work_order_id, created_at desc);
create index idx_work_order_events_created_by_user_id on public.work_order_events (created_by_user_id);
comment on table public.work_order_events is 'What happened to a work order, written by the database: status, schedule, technician, ETA.';

create function fieldcrm.record_work_order_events() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    insert into public.work_order_events (org_id, work_order_id, type, new_values, created_by_user_id)
    select n.org_id, n.id, 'created', jsonb_build_object('status', n.status, 'window_start', n.window_start,
      'window_end', n.window_end, 'technician_id', n.technician_id), (fieldcrm.session() ->> 'user_id')::uuid
    from new_rows n;
    return null;
  end if;
  insert into public.work_order_events (org_id, work_order_id, type, old_values, new_values, created_by_user_id)
  select n.org_id, n.id, e.type, e.old_values, e.new_values, (fieldcrm.session() ->> 'user_id')::uuid
  from new_rows n join old_rows o using (id)
  cross join lateral (values
    ('status', jsonb_build_object('status', o.status), jsonb_build_object('status', n.status)),
    ('schedule', jsonb_build_object('window_start', o.window_start, 'window_end', o.window_end),
      jsonb_build_object('window_start', n.window_start, 'window_end', n.window_end)),
    ('technician', jsonb_build_object('technician_id', o.technician_id), jsonb_build_object('technician_id', n.technician_id)),
    ('eta', jsonb_build_object('eta', o.eta), jsonb_build_object('eta', n.eta))
  ) as e (type, old_values, new_values)
  where e.old_values <> e.new_values;
  return null;
end $$;
-- Whoever may execute a trigger function may hang it on a table of their own and feed it rows.
revoke all on function fieldcrm.record_work_order_events() from public, anon, authenticated, service_role;
create trigger work_orders_record_insert after insert on public.work_orders
  referencing new table as new_rows for each statement execute function fieldcrm.record_work_order_events();
create trigger work_orders_record_update after update on public.work_orders
  referencing new table as new_rows old table as old_rows for each statement execute function fieldcrm.record_work_order_events();

create table public.quotes (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  customer_id uuid not null,
  work_order_id uuid,
  number text not null,
  status text not null default 'draft',
  total numeric(12, 2) not null default 0,
  valid_until date,
  sent_at timestamptz,
  decided_at timestamptz,
  notes text,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint quotes_org_id_id_key unique (org_id, id),
  constraint quotes_org_id_number_key unique (org_id, number),
  constraint quotes_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint quotes_work_order_id_fkey foreign key (org_id, customer_id, work_order_id)
    references public.work_orders (org_id, customer_id, id) on delete set null (work_order_id),
  constraint quotes_number_check check (btrim(number) <> '' and char_length(number) <= 60),
  constraint quotes_status_check check (status in ('draft', 'sent', 'accepted', 'declined', 'expired')),
  -- NaN is greater than every number.
  constraint quotes_total_check check (total >= 0 and total < 'NaN'),
  constraint quotes_notes_check check (char_length(notes) <= 20000)
);
create index idx_quotes_customer_id on public.quotes (org_id, customer_id, created_at desc);
create index idx_quotes_work_order_id on public.quotes (work_order_id) where work_order_id is not null;
create index idx_quotes_created_by_user_id on public.quotes (created_by_user_id);
comment on table public.quotes is 'Offers to customers; amounts in the org''s currency.';

create table public.invoices (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  customer_id uuid not null,
  work_order_id uuid,
  quote_id uuid,
  number text not null,
  status text not null default 'draft',
  total numeric(12, 2) not null default 0,
  amount_paid numeric(12, 2) not null default 0,
  issued_at timestamptz,
  due_at timestamptz,
  paid_at timestamptz,
  notes text,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint invoices_org_id_id_key unique (org_id, id),
  constraint invoices_org_id_number_key unique (org_id, number),
  constraint invoices_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint invoices_work_order_id_fkey foreign key (org_id, customer_id, work_order_id)
    references public.work_orders (org_id, customer_id, id) on delete set null (work_order_id),
  constraint invoices_quote_id_fkey foreign key (org_id, quote_id)
    references public.quotes (org_id, id) on delete set null (quote_id),
  constraint invoices_number_check check (btrim(number) <> '' and char_length(number) <= 60),
  constraint invoices_status_check check (status in ('draft', 'sent', 'paid', 'void')),
  constraint invoices_amounts_check check (total >= 0 and total < 'NaN' and amount_paid >= 0 and amount_paid < 'NaN'),
  constraint invoices_notes_check check (char_length(notes) <= 20000)
);
create index idx_invoices_customer_id on public.invoices (org_id, customer_id, created_at desc);
create index idx_invoices_work_order_id on public.invoices (work_order_id) where work_order_id is not null;
create index idx_invoices_quote_id on public.invoices (quote_id) where quote_id is not null;
create index idx_invoices_created_by_user_id on public.invoices (created_by_user_id);
comment on table public.invoices is 'Bills to customers; amounts in the org''s currency. amount_paid counts as spend unless the invoice is void.';

do $policies$
declare
  tab text;
begin
  foreach tab in array array['work_orders', 'quotes', 'invoices'] loop
    execute format('create trigger %I before update on public.%I for each row execute function fieldcrm.set_updated_at()', tab || '_set_updated_at', tab);
    execute format('create trigger %I before update of created_by_user_id on public.%I for each row
      when (new.created_by_user_id is distinct from old.created_by_user_id)
      execute function fieldcrm.keep_creator()', tab || '_keep_creator', tab);
    execute format('create trigger %I before insert on public.%I for each row when (new.org_id is null)
      execute function fieldcrm.set_org_id()', tab || '_set_org_id', tab);
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select, insert, update, delete on public.%I to authenticated, service_role', tab);
    execute format($$create policy "Staff see those of their org" on public.%I for select to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')))$$, tab);
    execute format($$create policy "Who may write them may add one" on public.%I for insert to authenticated
      with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability(%L))
        and (created_by_user_id is null or created_by_user_id = (select fieldcrm.current_profile_id())))$$,
      tab, case tab when 'work_orders' then 'work_orders.write' else 'billing.write' end);
    execute format($$create policy "Who may write them may change one" on public.%I for update to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability(%L)))$$,
      tab, case tab when 'work_orders' then 'work_orders.write' else 'billing.write' end);
    execute format($$create policy "Who may delete customers may delete one" on public.%I for delete to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.delete')))$$, tab);
  end loop;
end $policies$;

alter table public.work_order_events enable row level security;
alter table public.work_order_events force row level security;
revoke all on public.work_order_events from public, anon, authenticated, service_role;
grant select on public.work_order_events to authenticated, service_role;
create policy "Staff see the events of their org" on public.work_order_events for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
