-- The cluster-wide roles, as Supabase has them. Several databases share one
-- cluster, so each may exist already; the lock on the shared catalogue keeps
-- two bootstraps in different databases from racing.
lock table pg_catalog.pg_authid in share row exclusive mode;

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('anon',          'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role',  'nologin noinherit bypassrls'),
      -- Stands for authenticator, supabase_auth_admin and supabase_storage_admin
      -- in one: it reads and writes auth.* and storage.* past RLS, and switches
      -- to an API role for everything a caller asks.
      ('gateway',       'login inherit bypassrls')
    ) as w (name, options)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I', wanted.name);
    end if;
    execute format('alter role %I %s', wanted.name, wanted.options);
  end loop;
end
$$;

grant anon, authenticated, service_role to gateway;
