-- What Supabase's database linter (splinter) looks for, asked of our own catalogue: each test has the lint's number,
-- name and level. Then every PL/pgSQL function through plpgsql_check.
--
-- Not asked, because the answer is in the data and the traffic, not in the catalogue: 0005 unused_index,
-- 0020 table_bloat, 0022 extension_versions_outdated, 0031 unused_replication_slot. 0012 is about sign-ins that
-- config.toml does not allow.
begin;
select plan(30);

-- Schemas that are ours; what an extension brought is not.
create temporary table lint_relations as
select c.oid, c.relname, c.relkind, c.relrowsecurity, c.reloptions, n.nspname, format('%I.%I', n.nspname, c.relname) as name
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'fieldcrm') and c.relname !~ '^gateway_test_'
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e');
create temporary table lint_functions as
select p.*, p.oid::regprocedure::text as name, n.nspname,
  exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e') as of_extension
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('public', 'fieldcrm') and p.proname !~ '^gateway_test_';
-- Expressions are printed with the schema only where it is not in the search path.
set local search_path = extensions, pg_temp;
create temporary table lint_policies as
select r.name || ': ' || p.polname as policy, r.oid, r.nspname, p.polcmd, p.polpermissive, p.polroles, r.relrowsecurity,
  lower(pg_get_expr(p.polqual, p.polrelid)) as qual, lower(pg_get_expr(p.polwithcheck, p.polrelid)) as with_check
from pg_policy p join (
  select oid, name, nspname, relrowsecurity from lint_relations
  union all
  select to_regclass('storage.objects'), 'storage.objects', 'storage', true where to_regclass('storage.objects') is not null) r on r.oid = p.polrelid;
set local search_path = public, extensions;
grant select on lint_relations, lint_functions, lint_policies to public;

-- An index on the id alone, or with the org, finds the same rows as one on (org, customer, id): ids are unique. It is smaller.
select is_empty($$
  select k.conrelid::regclass, k.conname from pg_constraint k join lint_relations r on r.oid = k.conrelid
  where k.contype = 'f' and not exists (
    select from pg_index i, lateral (select string_to_array(i.indkey::text, ' ')::smallint[] as columns) x
    where i.indrelid = k.conrelid and i.indisvalid
      and (x.columns[1:cardinality(k.conkey)] @> k.conkey or x.columns[1] = k.conkey[cardinality(k.conkey)]
        or x.columns[1:2] @> array[k.conkey[1], k.conkey[cardinality(k.conkey)]]))
$$, '0001 unindexed_foreign_keys (INFO)');

select is_empty($$
  select r.name from lint_relations r join pg_rewrite w on w.ev_class = r.oid join pg_depend d on d.objid = w.oid
  where r.relkind in ('v', 'm') and d.refobjid = 'auth.users'::regclass
    and (has_table_privilege('anon', r.oid, 'select') or has_table_privilege('authenticated', r.oid, 'select'))
$$, '0002 auth_users_exposed (ERROR)');

-- Ours as Supabase's: a helper that takes nothing from the row runs once, in a subselect. What is left after the
-- subselects are taken out must call none; fieldcrm.owns_customer(…) and portal_sees(…) are asked of the row.
select is_empty($$
  select policy from lint_policies
  where regexp_replace(concat(qual, ' ', with_check),
      '\( *select +((auth|fieldcrm)\.[a-z_]+\((''[^'']*''::text)?\)|current_setting\([^()]*\)) +as +[a-z_]+\)', '', 'g')
    ~ '((auth|fieldcrm)\.(?!(owns_customer|reads_inbound_file|portal_sees)\()[a-z_]+|current_setting)\('
$$, '0003 auth_rls_initplan (WARN)');

select is_empty($$
  select name from lint_relations r where relkind in ('r', 'p')
    and not exists (select from pg_index i where i.indrelid = r.oid and i.indisprimary)
$$, '0004 no_primary_key (INFO)');

select is_empty($$
  select p.oid::regclass, role, command, count(*) from lint_policies p,
    unnest(case when p.polroles = '{0}' then array(select oid from pg_roles where not rolbypassrls and rolname !~ '^pg_') else p.polroles end) role,
    unnest(case p.polcmd when '*' then '{r,a,w,d}' else array[p.polcmd::text] end) command
  where p.polpermissive and p.nspname <> 'storage' group by 1, 2, 3 having count(*) > 1
$$, '0006 multiple_permissive_policies (WARN)');

select is_empty('select policy from lint_policies where not relrowsecurity', '0007 policy_exists_rls_disabled (ERROR)');

-- These are for no client at all: definer functions read and write them, behind crm_search_customers, crm_submit_form,
-- portal_complete_signup, the runner, booking and the jobs.
select is_empty($$
  select name from lint_relations r where relkind in ('r', 'p') and relrowsecurity
    and name not in ('fieldcrm.customer_search', 'fieldcrm.event_queue', 'fieldcrm.outbox_queue', 'fieldcrm.automation_enrollments',
    'fieldcrm.form_submissions', 'fieldcrm.portal_signups', 'fieldcrm.portal_notices', 'fieldcrm.reservations',
    'fieldcrm.ai_spending', 'fieldcrm.sentiment_queue', 'fieldcrm.outbox_secrets', 'fieldcrm.ai_job_customers')
    and not exists (select from lint_policies p where p.oid = r.oid)
$$, '0008 rls_enabled_no_policy (INFO)');

select is_empty($$
  select i.indrelid::regclass, array_agg(i.indexrelid::regclass) from pg_index i join lint_relations r on r.oid = i.indrelid
  group by i.indrelid, regexp_replace(pg_get_indexdef(i.indexrelid), '^create (unique )?index \S+ ', '', 'i') having count(*) > 1
$$, '0009 duplicate_index (WARN), a unique and a plain one too');

select is_empty($$
  select name from lint_relations where relkind = 'v'
    and not coalesce(reloptions, '{}') && '{security_invoker=true,security_invoker=on,security_invoker=1,security_invoker=yes}'::text[]
$$, '0010 security_definer_view (ERROR)');

-- What the extension owns is not splinter's to see, and ours all the same. Functions in C ask no search_path.
select is_empty($$
  select f.name from lint_functions f join pg_language l on l.oid = f.prolang
  where (l.lanname in ('sql', 'plpgsql') or f.prosecdef)
    and not exists (select from unnest(f.proconfig) c where c like 'search_path=%')
$$, '0011 function_search_path_mutable (WARN)');

select is_empty($$select name from lint_relations where nspname = 'public' and relkind in ('r', 'p') and not relrowsecurity$$,
  '0013 rls_disabled_in_public (ERROR)');
-- pgTAP is the tests' own.
select is_empty($$select extname from pg_extension where extnamespace = 'public'::regnamespace and extname <> 'pgtap'$$, '0014 extension_in_public (WARN)');
select is_empty($$select policy from lint_policies where concat(qual, with_check) like '%user_metadata%'$$, '0015 rls_references_user_metadata (ERROR)');
select is_empty($$
  select name from lint_relations where relkind = 'm'
    and (has_table_privilege('anon', oid, 'select') or has_table_privilege('authenticated', oid, 'select'))
$$, '0016 materialized_view_in_api (WARN)');
select is_empty($$
  select name from lint_relations where relkind = 'f'
    and (has_table_privilege('anon', oid, 'select') or has_table_privilege('authenticated', oid, 'select'))
$$, '0017 foreign_table_in_api (WARN)');
select is_empty($$
  select r.name, a.attname from pg_attribute a join lint_relations r on r.oid = a.attrelid
  where a.atttypid in ('regcollation'::regtype, 'regconfig'::regtype, 'regdictionary'::regtype, 'regnamespace'::regtype,
    'regoper'::regtype, 'regoperator'::regtype, 'regproc'::regtype, 'regprocedure'::regtype) and not a.attisdropped
$$, '0018 unsupported_reg_types (WARN)');
select is_empty($$
  select c.oid::regclass from pg_class c where c.relnamespace = to_regnamespace('pgmq') and c.relkind in ('r', 'p') and not c.relrowsecurity
$$, '0019 insecure_queue_exposed_in_api (ERROR)');
select is_empty($$
  select k.conrelid::regclass, k.conname from pg_constraint k join lint_relations r on r.oid = k.conrelid
  join pg_class t on t.oid = k.confrelid join pg_index i on i.indexrelid = k.conindid
  where k.contype = 'f' and t.relnamespace = 'auth'::regnamespace and not i.indisprimary
$$, '0021 fkey_to_auth_unique (ERROR)');
-- Stricter: such a column has no place in a table that clients read, with row security or without. secret_name is none: it
-- says under which name the functions have theirs.
select is_empty($$
  select r.name, a.attname from pg_attribute a join lint_relations r on r.oid = a.attrelid
  where r.relkind in ('r', 'p', 'v') and a.attnum > 0 and not a.attisdropped and a.attname <> 'secret_name'
    and a.attname ~ '(^|_)(passw(or)?d|passphrase|secret|token|jwt|api_?key|private_key|otp|cvv|iban|ssn|card_number|tax_id|passport)(_|$)'
    and (has_column_privilege('authenticated', r.oid, a.attnum, 'select') or has_column_privilege('anon', r.oid, a.attnum, 'select'))
$$, '0023 sensitive_columns_exposed (ERROR)');
-- Stricter: reading, too, is never for everybody.
select is_empty($$
  select policy from lint_policies where polpermissive
    and (coalesce(qual, 'true') in ('true', '(true)', '(1 = 1)') and polcmd <> 'a'
      or coalesce(with_check, 'true') in ('true', '(true)', '(1 = 1)') and polcmd = 'a' or with_check in ('true', '(true)', '(1 = 1)'))
$$, '0024 rls_policy_always_true (WARN)');
select case when to_regclass('storage.buckets') is null then skip('there is no Storage', 1)
  else is_empty('select id from storage.buckets where public', '0025 public_bucket_allows_listing (WARN): there is no public bucket') end;
select is_empty($$select name from lint_relations where relkind in ('r', 'p', 'v', 'm') and has_any_column_privilege('anon', oid, 'select')$$,
  '0026 pg_graphql_anon_table_exposed (WARN)');
-- Signed-in users read tables: that is what a table in the API is for. Without pg_graphql nobody lists them.
select is_empty($$select extname from pg_extension where extname = 'pg_graphql'$$, '0027 pg_graphql_authenticated_table_exposed (WARN): no pg_graphql');
-- The policies' helpers, asked by whoever meets a policy, look up the caller and nobody else; the knowledge base shows who is not
-- signed in what is public. None of these is in a schema that the API exposes.
select is_empty($$
  select name from lint_functions where prosecdef and has_function_privilege('anon', oid, 'execute') and proname not in ('load_session', 'kb_search', 'kb_list_articles', 'kb_get_article')
$$, '0028 anon_security_definer_function_executable (WARN)');
-- The schema fieldcrm is not exposed: its definer functions are the bodies of RPCs (docs/security.md lists them).
select is_empty($$
  select name from lint_functions where nspname = 'public' and prosecdef and has_function_privilege('authenticated', oid, 'execute')
$$, '0029 authenticated_security_definer_function_executable (WARN)');
select is_empty($$select r.name, i.indexrelid::regclass from pg_index i join lint_relations r on r.oid = i.indrelid where not i.indisvalid$$,
  '0030 invalid_index (WARN)');
select is_empty($$select policy from lint_policies where qual ~ '(uid|jwt|role|current_org_id|current_profile_id)(\(\)| as [a-z_]+\)+) is null'$$,
  '0030 rls_policy_null_auth_disjunct (WARN)');
select is_empty($$select name from lint_relations where relkind = 'r' and reloptions && '{autovacuum_enabled=false,autovacuum_enabled=off}'::text[]$$,
  '0030 autovacuum_disabled');

-- A trigger function is checked with each table and the transition tables of each trigger that it serves. Where one
-- function serves an update and a delete, the transition tables of the one are no findings in the other.
select exists (select from pg_available_extensions where name = 'plpgsql_check') as can_check \gset
\if :can_check
create extension if not exists plpgsql_check schema extensions;
create temporary table lint_findings as
select distinct f.name || coalesce(' on ' || t.relation, '') as function, c.lineno, c.level, c.sqlstate, c.message
from lint_functions f join pg_language l on l.oid = f.prolang and l.lanname = 'plpgsql'
left join lateral (
  select g.tgrelid, g.tgrelid::regclass::text as relation, g.tgoldtable, g.tgnewtable
  from pg_trigger g where g.tgfoid = f.oid and not g.tgisinternal) t on true,
lateral extensions.plpgsql_check_function_tb(f.oid, relid => coalesce(t.tgrelid, 0), fatal_errors => false,
  performance_warnings => false, oldtable => t.tgoldtable, newtable => t.tgnewtable) c
where c.level not in ('performance', 'notice')
  -- Its third argument only names the type, and the cast to it is by assignment: the type is known at the call.
  and f.proname <> 'bound' and (f.prorettype <> 'trigger'::regtype or t.tgrelid is not null)
  and not exists (select from pg_trigger o where o.tgfoid = f.oid and o.tgrelid = t.tgrelid
    and c.message in (format('relation "%s" does not exist', o.tgoldtable), format('relation "%s" does not exist', o.tgnewtable)))
  -- It asks for the table before it names columns that only this table, or only the others, have.
  and not (f.proname = 'index_changed' and c.sqlstate = '42703'
    and case t.relation when 'customers' then c.message ~ 'column [nx].customer_id' else c.message ~ 'column n.name' end);
select is_empty('select * from lint_findings order by 1, 2', 'plpgsql_check finds no error and no warning');
\else
select ok(current_setting('server_version_num')::integer / 10000 <> 15, 'plpgsql_check is there; other majors than 15 have no package of it');
\endif
select is_empty($$select f.name from lint_functions f where f.prorettype = 'trigger'::regtype
  and not exists (select from pg_trigger g where g.tgfoid = f.oid)$$, 'every trigger function serves a table');

select * from finish();
rollback;
