-- Nothing of the product is reachable that was not granted by name.
begin;
-- What clients call: our names, and those that came with the leads.
create function pg_temp.is_rpc(name name, result oid) returns boolean language sql as $$
  select result <> 'trigger'::regtype and name ~ ('^(crm|portal|kb)_|' ||
    '^(can_access_client|can_access_project|can_manage_lead|calculate_conversion_rate|get_source_performance|get_project_summary|create_conversation|update_conversation_stats|process_incoming_message)$')
$$;
select plan(10);

select is_empty($$
  select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('public', 'fieldcrm') and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)
$$, 'every table has row level security, forced');

select is_empty($$
  select format('%I.%I to %s', n.nspname, c.relname, coalesce(g.rolname, 'public'))
  from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
  left join pg_roles g on g.oid = a.grantee
  where n.nspname in ('public', 'fieldcrm') and c.relkind in ('r', 'p', 'v', 'm')
    and (g.rolname = 'anon' or a.grantee = 0)
$$, 'anon and public have no privilege on any table');

select is_empty($$
  select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('public', 'fieldcrm') and c.relkind in ('r', 'p')
    and (has_table_privilege('authenticated', c.oid, 'truncate') or has_table_privilege('authenticated', c.oid, 'trigger')
      or has_table_privilege('authenticated', c.oid, 'references'))
$$, 'signed-in users have no privilege but select, insert, update and delete');

select is_empty($$
  select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where (n.nspname = 'fieldcrm' or (n.nspname = 'public' and pg_temp.is_rpc(p.proname, p.prorettype)))
    and p.prorettype <> 'trigger'::regtype
    and (has_function_privilege('anon', p.oid, 'execute') or exists (
      select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0))
    and p.proname not in ('current_org_id', 'current_profile_id', 'has_capability', 'is_staff', 'session', 'load_session',
      'kb_search', 'kb_list_articles', 'kb_get_article', 'unwrap')
$$, 'anon and public can run no function but the helpers that policies ask, and those that show public articles');

select is_empty($$
  select p.oid::regprocedure from pg_proc p
  where p.pronamespace = 'public'::regnamespace and pg_temp.is_rpc(p.proname, p.prorettype) and p.prosecdef
$$, 'no public RPC is security definer');

select is_empty($$
  select p.oid::regprocedure from pg_proc p
  where p.pronamespace in ('public'::regnamespace, 'fieldcrm'::regnamespace) and p.proname !~ '^gateway_test_'
    and (p.prosecdef or p.prolang = (select oid from pg_language where lanname = 'plpgsql'))
    and not exists (select from unnest(p.proconfig) c where c like 'search_path=%')
$$, 'every definer and every PL/pgSQL function has a fixed search_path');

select is_empty($$
  select p.oid::regprocedure from pg_proc p
  where p.pronamespace = 'fieldcrm'::regnamespace and p.prosecdef
    and not exists (select from unnest(p.proconfig) c where c ~ '^search_path=.*, *pg_temp$')
$$, 'definer functions search pg_temp last: anybody may put a type there');

select is_empty($$
  select p.oid::regprocedure from pg_proc p
  where p.pronamespace = 'public'::regnamespace and pg_temp.is_rpc(p.proname, p.prorettype)
    and coalesce(obj_description(p.oid, 'pg_proc'), '') !~ 'Example: '
$$, 'every RPC has a comment with an example');

select is_empty($$
  select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('public', 'fieldcrm') and c.relkind in ('r', 'p') and obj_description(c.oid, 'pg_class') is null
$$, 'every table says what it is for');

select is_empty($$
  select format('%s (%s)', k.conrelid::regclass, k.conname)
  from pg_constraint k
  where k.contype = 'f' and k.connamespace = 'public'::regnamespace and k.conrelid::regclass::text !~ 'gateway_test_'
    and not exists (
      select from pg_index i
      where i.indrelid = k.conrelid and (i.indkey[0] = k.conkey[cardinality(k.conkey)]
        or (i.indkey[0] = k.conkey[1] and i.indkey[1] = k.conkey[cardinality(k.conkey)])))
$$, 'every foreign key has an index');

select * from finish();
rollback;
