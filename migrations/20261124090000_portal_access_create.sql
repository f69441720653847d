-- Who gets into the portal, and to what: invitations, sign-ups that wait for their address to be verified, which other
-- customers a property manager may see, what an org allows, and what the owners of accounts did.
-- squawk-ignore-file prefer-bigint-over-int

create table public.portal_settings (
  org_id uuid primary key default fieldcrm.current_org_id() references public.orgs (id) on delete cascade,
  slug text,
  portal_url text,
  is_signup_enabled boolean not null default false,
  auto_schedule boolean not null default false,
  hold_minutes integer not null default 10,
  min_notice_minutes integer not null default 120,
  horizon_days integer not null default 60,
  slot_minutes integer not null default 30,
  travel_speed_kmh integer not null default 40,
  reschedule_hours_before integer not null default 24,
  max_reschedules integer not null default 3,
  cancel_hours_before integer not null default 24,
  cancel_fee_note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint portal_settings_slug_key unique (slug),
  constraint portal_settings_slug_check check (slug ~ '^[a-z0-9](-?[a-z0-9]){1,62}$'),
  constraint portal_settings_portal_url_check check (portal_url ~ '^https?://[^[:space:]]+[^/[:space:]]$' and char_length(portal_url) <= 300),
  constraint portal_settings_signup_check check (slug is not null or not is_signup_enabled),
  constraint portal_settings_hold_minutes_check check (hold_minutes between 1 and 120),
  constraint portal_settings_min_notice_minutes_check check (min_notice_minutes between 0 and 43200),
  constraint portal_settings_horizon_days_check check (horizon_days between 1 and 366),
  constraint portal_settings_slot_minutes_check check (slot_minutes in (5, 10, 15, 20, 30, 60, 120)),
  constraint portal_settings_travel_speed_kmh_check check (travel_speed_kmh between 1 and 200),
  constraint portal_settings_reschedule_hours_before_check check (reschedule_hours_before between 0 and 8784),
  constraint portal_settings_max_reschedules_check check (max_reschedules between 0 and 100),
  constraint portal_settings_cancel_hours_before_check check (cancel_hours_before between 0 and 8784),
  constraint portal_settings_cancel_fee_note_check check (char_length(cancel_fee_note) <= 500)
);
comment on table public.portal_settings is 'What an org lets its customers do in the portal; where there is no row, the defaults hold.';
comment on column public.portal_settings.slug is 'The org''s name in the portal''s address; needed for sign-up without an invitation.';
comment on column public.portal_settings.portal_url is 'Where the org''s portal is, without a slash at the end; links in e-mails begin with it.';
comment on column public.portal_settings.auto_schedule is 'Whether a booking of a free slot is a visit at once, or waits for somebody to look at it.';
comment on column public.portal_settings.slot_minutes is 'Visits begin at multiples of it, counted from midnight in the org''s zone.';
comment on column public.portal_settings.travel_speed_kmh is 'Travel between visits: the great-circle distance at this speed.';

create table public.portal_invites (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  customer_id uuid not null,
  email text not null,
  role public.portal_account_role not null default 'customer',
  access jsonb not null default '[]',
  token_hash bytea not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz,
  portal_account_id uuid,
  created_by_user_id uuid references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  constraint portal_invites_token_hash_key unique (token_hash),
  constraint portal_invites_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint portal_invites_portal_account_id_fkey foreign key (org_id, portal_account_id)
    references public.portal_accounts (org_id, id) on delete set null (portal_account_id),
  constraint portal_invites_email_check check (email = lower(email) and char_length(email) <= 254),
  constraint portal_invites_access_check check (jsonb_typeof(access) = 'array')
);
create index idx_portal_invites_customer_id on public.portal_invites (org_id, customer_id, created_at desc);
create index idx_portal_invites_portal_account_id on public.portal_invites (org_id, portal_account_id) where portal_account_id is not null;
create index idx_portal_invites_created_by_user_id on public.portal_invites (created_by_user_id);
comment on table public.portal_invites is 'Invitations to the portal. The token itself is shown once and kept only as SHA-256.';
comment on column public.portal_invites.access is 'What else the account may see: [{"customer_id", "location_id"}], as portal_account_access has it.';

-- Nobody is anybody's customer before they have shown that the address is theirs.
create table fieldcrm.portal_signups (
  user_id uuid primary key references auth.users (id) on delete cascade,
  org_id uuid not null references public.orgs (id) on delete cascade,
  full_name text not null,
  phone text,
  booking_reference uuid,
  created_at timestamptz not null default now(),
  constraint portal_signups_text_check check (char_length(full_name) <= 200 and char_length(phone) <= 60)
);
create index idx_portal_signups_org_id on fieldcrm.portal_signups (org_id, created_at);
comment on table fieldcrm.portal_signups is 'Who signed up for a portal and has not yet verified their address.';
alter table fieldcrm.portal_signups enable row level security;
alter table fieldcrm.portal_signups force row level security;
revoke all on fieldcrm.portal_signups from public, anon, authenticated, service_role;

create table public.portal_account_access (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  portal_account_id uuid not null,
  customer_id uuid not null,
  location_id uuid,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  constraint portal_account_access_key unique nulls not distinct (org_id, portal_account_id, customer_id, location_id),
  constraint portal_account_access_portal_account_id_fkey foreign key (org_id, portal_account_id)
    references public.portal_accounts (org_id, id) on delete cascade,
  constraint portal_account_access_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint portal_account_access_location_id_fkey foreign key (org_id, customer_id, location_id)
    references public.customer_locations (org_id, customer_id, id) on delete cascade
);
create index idx_portal_account_access_customer_id on public.portal_account_access (org_id, customer_id, location_id);
create index idx_portal_account_access_location_id on public.portal_account_access (location_id) where location_id is not null;
create index idx_portal_account_access_created_by_user_id on public.portal_account_access (created_by_user_id);
comment on table public.portal_account_access is 'Which other customers the account of a property manager sees, and which of their locations: all where none is named.';

create table public.portal_audit_events (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  portal_account_id uuid not null,
  event_type text not null,
  event_payload jsonb,
  ip_address inet,
  user_agent text,
  occurred_at timestamptz not null default now(),
  constraint portal_audit_events_portal_account_id_fkey foreign key (org_id, portal_account_id)
    references public.portal_accounts (org_id, id) on delete cascade,
  constraint portal_audit_events_event_type_check check (event_type ~ '^[a-z][a-z0-9_]{0,59}$'),
  constraint portal_audit_events_event_payload_check check (jsonb_typeof(event_payload) = 'object'),
  constraint portal_audit_events_user_agent_check check (char_length(user_agent) <= 500)
);
create index idx_portal_audit_events_org_id_occurred_at on public.portal_audit_events (org_id, occurred_at desc);
create index idx_portal_audit_events_portal_account_id on public.portal_audit_events (org_id, portal_account_id, occurred_at desc);
comment on table public.portal_audit_events is 'What the owners of portal accounts did: signed in, booked, canceled, read a document. Rows are only added.';

-- Whether a token still counts in the portal. It is good until it runs out, also after its session has ended: Auth's table says which
-- have. Whoever has a second factor is let in with it only (AAL2 of NIST SP 800-63B, claim aal of Supabase Auth).
create function fieldcrm.portal_session_state() returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  claims constant jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
begin
  if claims ->> 'session_id' is not null and not exists (
      select from auth.sessions s where s.id = (claims ->> 'session_id')::uuid and s.user_id = (claims ->> 'sub')::uuid) then
    return 'ended';
  end if;
  if claims ->> 'aal' is distinct from 'aal2' and exists (
      select from auth.mfa_factors f where f.user_id = (fieldcrm.session() ->> 'user_id')::uuid and f.status = 'verified') then
    return 'second_factor';
  end if;
  return 'active';
end $$;
comment on function fieldcrm.portal_session_state() is 'active; ended: the session was signed out; second_factor: the user has one, and did not use it.';

-- Whether nothing but its address and a password opens a login: no phone, other provider, second factor or passkey, and no other address or
-- phone that waits to be confirmed. Whoever had it before could have added them. Not every Auth has the table of passkeys.
create function fieldcrm.is_plain_login(login uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (
      select from auth.users u
      where u.id = login and coalesce(u.phone, '') = '' and coalesce(u.phone_change_token, '') = ''
        and coalesce(u.email_change_token_new, '') = '' and coalesce(u.email_change_token_current, '') = '')
    or exists (select from auth.identities i where i.user_id = login and i.provider <> 'email')
    or exists (select from auth.mfa_factors f where f.user_id = login) then
    return false;
  end if;
  if to_regclass('auth.webauthn_credentials') is not null then
    return not exists (select from auth.webauthn_credentials c where c.user_id = login);
  end if;
  return true;
end $$;
comment on function fieldcrm.is_plain_login(uuid) is 'Whether nothing but its address and a password opens a login.';

-- The account of the caller with everything it may see; null for who has none. The truth is the row: a claim only says
-- which user it is.
create function fieldcrm.load_portal_account() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select jsonb_build_object('id', a.id, 'org_id', a.org_id, 'user_id', a.user_id, 'customer_id', a.customer_id,
      'primary_location_id', a.primary_location_id, 'role', a.role, 'status', a.status, 'session', fieldcrm.portal_session_state(),
      'access', coalesce((
        select jsonb_agg(jsonb_build_object('customer_id', x.customer_id, 'location_id', x.location_id))
        from public.portal_account_access x
        where x.org_id = a.org_id and x.portal_account_id = a.id and a.role in ('property_manager', 'admin')), '[]'))
    from public.portal_accounts a
    where a.org_id = (fieldcrm.session() ->> 'org_id')::uuid and a.user_id = (fieldcrm.session() ->> 'profile_id')::uuid);
end $$;
comment on function fieldcrm.load_portal_account() is 'The portal account of the caller, whatever its status: {id, org_id, user_id, customer_id, primary_location_id, role, status, session, access}.';
-- For policies: the active account of a caller whose session counts, its customer, and whether the caller sees others.
create function fieldcrm.portal_account_id() returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select a.id from public.portal_accounts a
    where a.org_id = (fieldcrm.session() ->> 'org_id')::uuid and a.user_id = (fieldcrm.session() ->> 'profile_id')::uuid
      and a.status = 'active' and fieldcrm.portal_session_state() = 'active');
end $$;
create function fieldcrm.portal_customer_id() returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (select a.customer_id from public.portal_accounts a where a.id = fieldcrm.portal_account_id());
end $$;
create function fieldcrm.is_portal_manager() returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return exists (
    select from public.portal_accounts a
    where a.id = fieldcrm.portal_account_id() and a.role in ('property_manager', 'admin'));
end $$;
-- Asked of each row, after is_portal_manager() was asked once.
create function fieldcrm.portal_sees(customer uuid, location uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return exists (
    select from public.portal_accounts a
    join public.portal_account_access x on x.org_id = a.org_id and x.portal_account_id = a.id
    where a.org_id = (fieldcrm.session() ->> 'org_id')::uuid and a.user_id = (fieldcrm.session() ->> 'profile_id')::uuid
      and a.status = 'active' and a.role in ('property_manager', 'admin')
      and x.customer_id = customer and (x.location_id is null or x.location_id = location));
end $$;
revoke all on function fieldcrm.portal_session_state(), fieldcrm.is_plain_login(uuid), fieldcrm.load_portal_account(), fieldcrm.portal_customer_id(), fieldcrm.portal_account_id(),
  fieldcrm.is_portal_manager(), fieldcrm.portal_sees(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function fieldcrm.portal_customer_id(), fieldcrm.portal_account_id(), fieldcrm.is_portal_manager(), fieldcrm.portal_sees(uuid, uuid) to authenticated;

create trigger portal_settings_set_updated_at before update on public.portal_settings
  for each row execute function fieldcrm.set_updated_at();
do $rls$
declare
  tab text;
begin
  foreach tab in array array['portal_settings', 'portal_invites', 'portal_account_access', 'portal_audit_events'] loop
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select on public.%I to service_role', tab);
    execute format($$create policy "Staff see those of their org" on public.%I for select to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')))$$, tab);
  end loop;
  foreach tab in array array['portal_invites', 'portal_account_access'] loop
    -- Who let whom in is known afterwards.
    execute format('create trigger %I after insert on public.%I referencing new table as changed_rows
      for each statement execute function fieldcrm.audit(''token_hash'')', tab || '_audit_insert', tab);
    execute format('create trigger %I after update on public.%I referencing new table as new_rows old table as old_rows
      for each statement execute function fieldcrm.audit(''token_hash'')', tab || '_audit_update', tab);
    execute format('create trigger %I after delete on public.%I referencing old table as changed_rows
      for each statement execute function fieldcrm.audit(''token_hash'')', tab || '_audit_delete', tab);
    execute format('create trigger %I after insert on public.%I referencing new table as new_rows
      for each statement execute function fieldcrm.guard_closed_customer()', tab || '_guard_closed', tab);
  end loop;
end $rls$;
grant select, insert, update on public.portal_settings to authenticated;
grant insert, update, delete on public.portal_settings to service_role;
grant select (id, org_id, customer_id, email, role, access, expires_at, used_at, revoked_at, portal_account_id, created_by_user_id, created_at)
  on public.portal_invites to authenticated;
grant select on public.portal_account_access, public.portal_audit_events to authenticated;
grant insert, update, delete on public.portal_account_access to service_role;
-- Owners of accounts change theirs by portal_update_profile(), which asks whether the account is active.
alter policy "Members change their own name, phone and picture" on public.profiles
  using (org_id = (select fieldcrm.current_org_id()) and id = (select fieldcrm.current_profile_id())
    and role not in ('portal_customer', 'portal_manager'));
create policy "Org managers add them" on public.portal_settings for insert to authenticated
  with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('org.manage')));
create policy "Org managers change them" on public.portal_settings for update to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('org.manage')));

-- History, for the owner of the database too; an erasure empties it.
create function fieldcrm.keep_portal_audit_events() returns trigger
language plpgsql set search_path = '' as $$
begin
  if (to_jsonb(new) - '{event_payload,ip_address,user_agent}'::text[]) <> (to_jsonb(old) - '{event_payload,ip_address,user_agent}'::text[])
    or new.event_payload is not null or new.ip_address is not null or new.user_agent is not null then
    raise exception using errcode = '42501', message = 'portal_audit_events is append-only';
  end if;
  return null;
end $$;
revoke all on function fieldcrm.keep_portal_audit_events() from public, anon, authenticated, service_role;
-- After the foreign keys, whose answer about another org's account is their own.
create trigger portal_audit_events_keep after update on public.portal_audit_events
  for each row execute function fieldcrm.keep_portal_audit_events();
