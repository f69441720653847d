-- Portal accounts and what their owners want to be told: the layer of consent that the customer keeps themselves.
-- The portal itself is not here yet; staff see the accounts, nobody but the back end writes them.
-- squawk-ignore-file prefer-bigint-over-int

create type public.portal_account_role as enum ('customer', 'property_manager', 'billing_contact', 'admin');
create type public.portal_account_status as enum ('active', 'invited', 'suspended', 'closed');
create type public.portal_invited_via as enum ('self_signup', 'email_invite', 'csr_created');

create table public.portal_accounts (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  user_id uuid not null references auth.users (id) on delete cascade,
  customer_id uuid not null,
  primary_location_id uuid,
  role public.portal_account_role not null default 'customer',
  status public.portal_account_status not null default 'active',
  invited_via public.portal_invited_via,
  last_login_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint portal_accounts_org_id_id_key unique (org_id, id),
  constraint portal_accounts_org_id_user_id_key unique (org_id, user_id),
  constraint portal_accounts_user_id_key unique (user_id),
  constraint portal_accounts_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete restrict,
  constraint portal_accounts_primary_location_id_fkey foreign key (org_id, customer_id, primary_location_id)
    references public.customer_locations (org_id, customer_id, id) on delete set null (primary_location_id)
);
create index idx_portal_accounts_customer_id on public.portal_accounts (org_id, customer_id);
create index idx_portal_accounts_primary_location_id on public.portal_accounts (primary_location_id) where primary_location_id is not null;
comment on table public.portal_accounts is 'Who of a customer signs in to the portal.';

create table public.portal_notification_preferences (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  portal_account_id uuid not null,
  notify_booking_updates_email boolean not null default true,
  notify_booking_updates_sms boolean not null default true,
  notify_marketing_email boolean not null default false,
  notify_marketing_sms boolean not null default false,
  notify_technician_enroute boolean not null default true,
  quiet_hours_start time,
  quiet_hours_end time,
  timezone text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint portal_notification_preferences_org_id_portal_account_id_key unique (org_id, portal_account_id),
  constraint portal_notification_preferences_portal_account_id_fkey foreign key (org_id, portal_account_id)
    references public.portal_accounts (org_id, id) on delete cascade,
  constraint portal_notification_preferences_quiet_hours_check check ((quiet_hours_start is null) = (quiet_hours_end is null)),
  -- An unknown zone raises 22023 (invalid_parameter_value) by itself.
  constraint portal_notification_preferences_timezone_check check (
    timezone is null or (timestamptz '2000-01-01 00:00:00+00' at time zone timezone) is not null)
);
comment on table public.portal_notification_preferences is 'What the owner of a portal account wants to be told, by which channel, and when not.';
comment on column public.portal_notification_preferences.timezone is 'IANA name; the org''s zone where it is absent.';

do $rls$
declare
  tab text;
begin
  foreach tab in array array['portal_accounts', 'portal_notification_preferences'] loop
    execute format('create trigger %I before update on public.%I for each row execute function fieldcrm.set_updated_at()', tab || '_set_updated_at', tab);
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select on public.%I to authenticated', tab);
    execute format('grant select, insert, update, delete on public.%I to service_role', tab);
    execute format($$create policy "Staff see those of their org" on public.%I for select to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')))$$, tab);
  end loop;
end $rls$;
create trigger portal_accounts_guard_closed after insert on public.portal_accounts referencing new table as new_rows
  for each statement execute function fieldcrm.guard_closed_customer();
-- Who signs in for whom is known afterwards, too: by it an erasure finds the login's own trail. When somebody signs in is not.
create trigger portal_accounts_audit_insert after insert on public.portal_accounts
  referencing new table as changed_rows for each statement execute function fieldcrm.audit('last_login_at');
create trigger portal_accounts_audit_update after update on public.portal_accounts
  referencing new table as new_rows old table as old_rows for each statement execute function fieldcrm.audit('last_login_at');
create trigger portal_accounts_audit_delete after delete on public.portal_accounts
  referencing old table as changed_rows for each statement execute function fieldcrm.audit('last_login_at');
