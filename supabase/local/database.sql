-- What a new Supabase database has before the first migration. Safe to repeat.
create schema if not exists extensions;
grant usage on schema extensions to anon, authenticated, service_role, gateway;
create extension if not exists pgcrypto with schema extensions;
create extension if not exists pg_trgm with schema extensions;
create extension if not exists "uuid-ossp" with schema extensions;

do $$
begin
  execute format('alter database %I set search_path = "$user", public, extensions', current_database());
end
$$;

grant usage on schema public to anon, authenticated, service_role, gateway;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
-- The gateway reads information_schema, which hides tables, and the primary keys
-- of tables, on which its reader holds no privilege beyond select. PostgREST
-- sees them all. References is the least that shows them and gives no row away.
alter default privileges in schema public grant references on tables to gateway;

do $$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
end
$$;

-- Supabase tells PostgREST of DDL through event triggers of these names.
create or replace function extensions.pgrst_ddl_watch() returns event_trigger
language plpgsql set search_path = '' as $$
begin
  if exists (
    select from pg_catalog.pg_event_trigger_ddl_commands() as c
    where c.schema_name is distinct from 'pg_temp'
      and c.command_tag ~ '^(CREATE|ALTER) (SCHEMA|TABLE|TABLE AS|FOREIGN TABLE|VIEW|MATERIALIZED VIEW|FUNCTION|TYPE|EXTENSION)$|^(SELECT INTO|COMMENT|GRANT|REVOKE)$'
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

create or replace function extensions.pgrst_drop_watch() returns event_trigger
language plpgsql set search_path = '' as $$
begin
  if exists (
    select from pg_catalog.pg_event_trigger_dropped_objects() as o
    where not o.is_temporary
      and o.object_type in ('schema', 'table', 'foreign table', 'view', 'materialized view', 'function', 'type', 'extension')
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

drop event trigger if exists pgrst_ddl_watch;
drop event trigger if exists pgrst_drop_watch;
create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
