-- What a database is, line by line and in no other order than its own: contents of every table, and every object that
-- a migration or the extension made. Two databases with the same lines are the same to the product.
set search_path to pg_catalog;
create function pg_temp.contents(name text) returns text language plpgsql as $$
declare
  contents text;
begin
  execute format('select count(*) || '' '' || md5(coalesce(string_agg(t::text, E''\n'' order by t::text collate "C"), '''')) from %s t', name) into contents;
  return contents;
end $$;
with ours as (
  select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'extensions')),
relations as (
  select c.*, format('%I.%I', n.nspname, c.relname) as name from pg_class c join ours n on n.oid = c.relnamespace),
grants as (
  select 'schema ' || nspname as object, nspacl as acl, 'n'::"char" as kind, nspowner as owner from pg_namespace where oid in (select oid from ours)
  union all
  select 'relation ' || name, relacl, case relkind when 'S' then 's' else 'r' end::"char", relowner from relations where relkind in ('r', 'v', 'm', 'S', 'p')
  union all
  select 'column ' || r.name || '.' || a.attname, a.attacl, 'c', r.relowner from pg_attribute a join relations r on r.oid = a.attrelid where a.attacl is not null
  union all
  select 'function ' || p.oid::regprocedure, p.proacl, 'f', p.proowner from pg_proc p join ours n on n.oid = p.pronamespace)
select line from (
  select 'rows of ' || name || ': ' || pg_temp.contents(name) as line from relations where relkind in ('r', 'm')
  union all
  select format('grant on %s to %s: %s', g.object, case a.grantee when 0 then 'public' else a.grantee::regrole::text end,
    string_agg(a.privilege_type || case when a.is_grantable then '*' else '' end, ' ' order by a.privilege_type))
  from grants g, aclexplode(coalesce(g.acl, acldefault(g.kind, g.owner))) a group by g.object, a.grantee
  union all
  select format('relation %s %s rls %s %s identity %s %s', name, relkind, relrowsecurity, relforcerowsecurity, relreplident, reloptions) from relations
    where relkind in ('r', 'v', 'm', 'p')
  union all
  select format('column %s.%s %s %s %s %s %s', r.name, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated,
    pg_get_expr(d.adbin, d.adrelid), col_description(r.oid, a.attnum))
  from pg_attribute a join relations r on r.oid = a.attrelid left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
  where a.attnum > 0 and not a.attisdropped and r.relkind in ('r', 'v', 'm', 'p')
  union all
  select format('policy %s %s %s %s %s %s %s', r.name, p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[],
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
  from pg_policy p join relations r on r.oid = p.polrelid
  union all
  select format('trigger %s %s', pg_get_triggerdef(t.oid), t.tgenabled) from pg_trigger t join relations r on r.oid = t.tgrelid where not t.tgisinternal
  union all
  select format('constraint %s %s %s %s', r.name, k.conname, pg_get_constraintdef(k.oid), k.convalidated) from pg_constraint k join relations r on r.oid = k.conrelid
  union all
  select format('index %s %s', pg_get_indexdef(i.indexrelid), i.indisreplident) from pg_index i join relations r on r.oid = i.indrelid where r.relkind <> 't'
  union all
  select format('view %s %s', name, pg_get_viewdef(oid)) from relations where relkind in ('v', 'm')
  union all
  select format('function %s %s', pg_get_functiondef(p.oid), obj_description(p.oid, 'pg_proc')) from pg_proc p join ours n on n.oid = p.pronamespace where p.prokind in ('f', 'p')
  union all
  select format('enum %s %s', t.oid::regtype, string_agg(e.enumlabel, ' ' order by e.enumsortorder))
  from pg_type t join ours n on n.oid = t.typnamespace join pg_enum e on e.enumtypid = t.oid group by t.oid
  union all
  select format('comment %s %s', name, obj_description(oid, 'pg_class')) from relations where obj_description(oid, 'pg_class') is not null
  union all
  select format('published %s.%s in %s', schemaname, tablename, pubname) from pg_publication_tables
  union all
  select format('extension %s %s in %s', e.extname, e.extversion, e.extnamespace::regnamespace) from pg_extension e
  union all
  select format('member of %s: %s', e.extname, pg_describe_object(d.classid, d.objid, d.objsubid))
  from pg_depend d join pg_extension e on e.oid = d.refobjid where d.refclassid = 'pg_extension'::regclass and d.deptype = 'e' and e.extname = 'fieldcrm'
  union all
  select format('event trigger %s %s %s', evtname, evtevent, evtfoid::regproc) from pg_event_trigger
) lines order by line collate "C"
