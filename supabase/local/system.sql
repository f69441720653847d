-- After lite's own schema: what Supabase has and lite lacks, then the grants.

-- lite's versions read only request.jwt.claim.*; Supabase's also read the JSON
-- document, which is what a DBA or a pgTAP test sets.
create or replace function auth.uid() returns uuid language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
  )::uuid
$$;

create or replace function auth.role() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
  )
$$;

create or replace function auth.email() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.email', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
  )
$$;

create or replace function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;

-- Columns that a seed for the real auth schema fills in.
alter table auth.users add column if not exists instance_id uuid;
alter table auth.users add column if not exists is_super_admin boolean;
alter table auth.identities alter column id set default gen_random_uuid();

-- Second factors: lite keeps none.
create table if not exists auth.mfa_factors (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  friendly_name text,
  factor_type text not null default 'totp',
  status text not null default 'unverified',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index if not exists mfa_factors_user_id_idx on auth.mfa_factors (user_id);
-- Passkeys: of Auths that have them.
create table if not exists auth.webauthn_credentials (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade
);
create index if not exists webauthn_credentials_user_id_idx on auth.webauthn_credentials (user_id);

-- SQL functions whose body calls auth.uid() need usage on the schema.
grant usage on schema auth, storage to anon, authenticated, service_role, gateway;
grant usage on schema supabase_migrations to gateway;
grant execute on all functions in schema auth, storage to anon, authenticated, service_role, gateway;
grant all on storage.objects, storage.buckets to anon, authenticated, service_role;
grant all on all tables in schema auth, storage, supabase_migrations to gateway;
