-- What customers have beyond single visits: warranties, and membership plans.
-- squawk-ignore-file prefer-bigint-over-int

create table public.warranties (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  customer_id uuid not null,
  location_id uuid,
  work_order_id uuid,
  document_id uuid,
  title text not null,
  provider text,
  terms text,
  starts_on date not null,
  ends_on date,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint warranties_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint warranties_location_id_fkey foreign key (org_id, customer_id, location_id)
    references public.customer_locations (org_id, customer_id, id) on delete set null (location_id),
  constraint warranties_work_order_id_fkey foreign key (org_id, customer_id, work_order_id)
    references public.work_orders (org_id, customer_id, id) on delete set null (work_order_id),
  constraint warranties_document_id_fkey foreign key (org_id, document_id)
    references public.documents (org_id, id) on delete set null (document_id),
  constraint warranties_time_check check (starts_on <= ends_on),
  constraint warranties_text_check check (btrim(title) <> '' and char_length(title) <= 200 and char_length(provider) <= 200
    and char_length(terms) <= 20000)
);
create index idx_warranties_customer_id on public.warranties (org_id, customer_id, ends_on);
create index idx_warranties_location_id on public.warranties (location_id) where location_id is not null;
create index idx_warranties_work_order_id on public.warranties (work_order_id) where work_order_id is not null;
create index idx_warranties_document_id on public.warranties (org_id, document_id) where document_id is not null;
create index idx_warranties_created_by_user_id on public.warranties (created_by_user_id);
comment on table public.warranties is 'What is under warranty at a customer''s, and until when; customers read all of it.';

create table public.membership_plans (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  name text not null,
  description text,
  price numeric(12, 2) not null default 0,
  billing_period text not null default 'year',
  visits_per_year integer not null default 0,
  discount_percent numeric(5, 2) not null default 0,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint membership_plans_org_id_id_key unique (org_id, id),
  constraint membership_plans_org_id_name_key unique (org_id, name),
  constraint membership_plans_billing_period_check check (billing_period in ('month', 'quarter', 'year')),
  constraint membership_plans_price_check check (price >= 0 and price < 'NaN'),
  constraint membership_plans_visits_per_year_check check (visits_per_year between 0 and 366),
  constraint membership_plans_discount_percent_check check (discount_percent between 0 and 100),
  constraint membership_plans_text_check check (btrim(name) <> '' and char_length(name) <= 200 and char_length(description) <= 20000)
);
comment on table public.membership_plans is 'Plans that customers subscribe to, such as two inspections a year and a discount. Prices are in the org''s currency.';

create table public.customer_memberships (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  customer_id uuid not null,
  membership_plan_id uuid not null,
  visit_plan_id uuid,
  status text not null default 'active',
  starts_on date not null default current_date,
  ends_on date,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint customer_memberships_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint customer_memberships_membership_plan_id_fkey foreign key (org_id, membership_plan_id)
    references public.membership_plans (org_id, id) on delete restrict,
  constraint customer_memberships_visit_plan_id_fkey foreign key (org_id, customer_id, visit_plan_id)
    references public.visit_plans (org_id, customer_id, id) on delete set null (visit_plan_id),
  constraint customer_memberships_status_check check (status in ('active', 'paused', 'canceled', 'expired')),
  constraint customer_memberships_time_check check (starts_on <= ends_on)
);
create index idx_customer_memberships_customer_id on public.customer_memberships (org_id, customer_id);
create index idx_customer_memberships_membership_plan_id on public.customer_memberships (org_id, membership_plan_id);
create index idx_customer_memberships_visit_plan_id on public.customer_memberships (visit_plan_id) where visit_plan_id is not null;
create index idx_customer_memberships_created_by_user_id on public.customer_memberships (created_by_user_id);
comment on table public.customer_memberships is 'Which plan a customer has; its visits are those of visit_plan_id.';

do $rls$
declare
  tab text;
  may_write text;
begin
  foreach tab in array array['warranties', 'membership_plans', 'customer_memberships'] loop
    may_write := format($$org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability(%L))$$,
      case tab when 'membership_plans' then 'org.manage' else 'customers.write' end);
    execute format('create trigger %I before update on public.%I for each row execute function fieldcrm.set_updated_at()', tab || '_set_updated_at', tab);
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select, insert, update, delete on public.%I to authenticated, service_role', tab);
    execute format($$create policy "Staff see those of their org" on public.%I for select to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')))$$, tab);
    execute format('create policy "Who may add them" on public.%I for insert to authenticated with check (%s)', tab, may_write);
    execute format('create policy "Who may change them" on public.%I for update to authenticated using (%s)', tab, may_write);
    execute format('create policy "Who may delete them" on public.%I for delete to authenticated using (%s)', tab, may_write);
    continue when tab = 'membership_plans';
    execute format('create trigger %I after insert on public.%I referencing new table as new_rows
      for each statement execute function fieldcrm.guard_closed_customer()', tab || '_guard_closed', tab);
    execute format('create trigger %I before update of created_by_user_id on public.%I for each row
      when (new.created_by_user_id is distinct from old.created_by_user_id)
      execute function fieldcrm.keep_creator()', tab || '_keep_creator', tab);
  end loop;
end $rls$;
