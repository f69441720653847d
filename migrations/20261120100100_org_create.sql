-- Tenancy: orgs are the tenants, profiles the members, org_invites the way in.
--
-- Every tenant table has org_id and unique (org_id, id); children reference (org_id, parent_id).
-- Postgres checks foreign keys without RLS, so the composite key is what makes a link across
-- tenants impossible, for the service role too.

grant usage on schema fieldcrm to anon, authenticated, service_role;

-- A row's updated_at is the database's to keep.
create function fieldcrm.set_updated_at() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end $$;

create table public.orgs (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  time_zone text not null default 'UTC',
  default_country text not null default 'US',
  settings jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint orgs_name_check check (btrim(name) <> '' and char_length(name) <= 200),
  -- An unknown zone raises 22023 (invalid_parameter_value) by itself.
  constraint orgs_time_zone_check check ((timestamptz '2000-01-01 00:00:00+00' at time zone time_zone) is not null),
  constraint orgs_default_country_check check (default_country ~ '^[A-Z]{2}$'),
  constraint orgs_settings_check check (jsonb_typeof(settings) = 'object')
);
comment on table public.orgs is 'The tenants. A row is one company.';
comment on column public.orgs.time_zone is 'IANA name; relative dates and quiet hours are meant in it.';
comment on column public.orgs.default_country is 'ISO 3166-1 alpha-2; phone numbers without a country code are read as of this country.';

create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  org_id uuid not null references public.orgs (id),
  role text not null,
  status text not null default 'active',
  email text,
  full_name text,
  phone text,
  avatar_url text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint profiles_org_id_id_key unique (org_id, id),
  constraint profiles_role_check check (role in (
    'owner', 'admin', 'manager', 'dispatcher', 'csr', 'sales', 'technician', 'member', 'viewer',
    'client_admin', 'portal_customer', 'portal_manager')),
  constraint profiles_status_check check (status in ('active', 'inactive')),
  constraint profiles_full_name_check check (char_length(full_name) <= 200),
  constraint profiles_phone_check check (char_length(phone) <= 60),
  constraint profiles_avatar_url_check check (avatar_url ~ '^https?://' and char_length(avatar_url) <= 2000)
);
comment on table public.profiles is 'The members: one row a user, in one org, with one role. The only source of rights.';
comment on column public.profiles.status is 'inactive members keep their row and have no rights, from the next statement on.';

create table public.org_invites (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id) on delete cascade,
  email text not null,
  role text not null,
  token_hash bytea not null,
  expires_at timestamptz not null,
  created_by_user_id uuid references auth.users (id) on delete set null,
  accepted_by_user_id uuid references auth.users (id) on delete set null,
  accepted_at timestamptz,
  created_at timestamptz not null default now(),
  constraint org_invites_token_hash_key unique (token_hash),
  constraint org_invites_email_check check (email = lower(email)),
  constraint org_invites_role_check check (role in (
    'owner', 'admin', 'manager', 'dispatcher', 'csr', 'sales', 'technician', 'member', 'viewer', 'client_admin'))
);
create index idx_org_invites_org_id on public.org_invites (org_id, created_at desc);
create index idx_org_invites_created_by_user_id on public.org_invites (created_by_user_id);
create index idx_org_invites_accepted_by_user_id on public.org_invites (accepted_by_user_id);
comment on table public.org_invites is 'Invitations to an org. The token itself is shown once and kept only as SHA-256.';

create trigger orgs_set_updated_at before update on public.orgs
  for each row execute function fieldcrm.set_updated_at();
create trigger profiles_set_updated_at before update on public.profiles
  for each row execute function fieldcrm.set_updated_at();

-- An idempotency key belongs to one user of one org: what it stored is never shown to another.
create table fieldcrm.idempotency_keys (
  org_id uuid not null references public.orgs (id) on delete cascade,
  user_id uuid not null,
  key text not null,
  operation text not null,
  fingerprint text not null,
  response jsonb,
  created_at timestamptz not null default now(),
  constraint idempotency_keys_pkey primary key (org_id, user_id, key),
  constraint idempotency_keys_key_check check (char_length(key) between 1 and 255)
);
create index idx_idempotency_keys_created_at on fieldcrm.idempotency_keys (created_at);
comment on table fieldcrm.idempotency_keys is 'First results by idempotency key. A failed call stores nothing. May be pruned after 24 hours.';
comment on column fieldcrm.idempotency_keys.user_id is 'The profile; the nil UUID for back-end sessions.';

alter table public.orgs enable row level security;
alter table public.orgs force row level security;
alter table public.profiles enable row level security;
alter table public.profiles force row level security;
alter table public.org_invites enable row level security;
alter table public.org_invites force row level security;
alter table fieldcrm.idempotency_keys enable row level security;
alter table fieldcrm.idempotency_keys force row level security;

-- Supabase grants everything on new tables to the API roles: take it back, then grant by name.
revoke all on public.orgs, public.profiles, public.org_invites, fieldcrm.idempotency_keys
  from public, anon, authenticated, service_role;
grant select, update (name, time_zone, default_country, settings) on public.orgs to authenticated;
grant select, update (full_name, phone, avatar_url) on public.profiles to authenticated;
grant select (id, org_id, email, role, expires_at, created_by_user_id, accepted_by_user_id, accepted_at, created_at),
  delete on public.org_invites to authenticated;
grant select, insert, update on fieldcrm.idempotency_keys to authenticated;
grant select, insert, update, delete
  on public.orgs, public.profiles, public.org_invites, fieldcrm.idempotency_keys to service_role;

create policy "Members see their own org" on public.orgs for select to authenticated
  using (id = (select fieldcrm.current_org_id()));
create policy "Org managers change their own org" on public.orgs for update to authenticated
  using (id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('org.manage')))
  with check (id = (select fieldcrm.current_org_id()));

create policy "Members see themselves, staff see colleagues" on public.profiles for select to authenticated
  using (org_id = (select fieldcrm.current_org_id())
    and (id = (select fieldcrm.current_profile_id())
      or ((select fieldcrm.has_capability('members.read')) and role not in ('portal_customer', 'portal_manager'))));
create policy "Members change their own name, phone and picture" on public.profiles for update to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and id = (select fieldcrm.current_profile_id()))
  with check (org_id = (select fieldcrm.current_org_id()) and id = (select fieldcrm.current_profile_id()));

create policy "Managers of members see invitations" on public.org_invites for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('members.manage')));
create policy "Managers of members withdraw invitations" on public.org_invites for delete to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('members.manage'))
    and accepted_at is null);

create policy "Callers see their own keys" on fieldcrm.idempotency_keys for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and user_id = (select fieldcrm.current_profile_id()));
create policy "Callers add their own keys" on fieldcrm.idempotency_keys for insert to authenticated
  with check (org_id = (select fieldcrm.current_org_id()) and user_id = (select fieldcrm.current_profile_id()));
create policy "Callers complete their own keys" on fieldcrm.idempotency_keys for update to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and user_id = (select fieldcrm.current_profile_id())
    and response is null)
  with check (org_id = (select fieldcrm.current_org_id()) and user_id = (select fieldcrm.current_profile_id()));
