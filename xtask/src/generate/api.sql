-- What a client of the API can name: the functions, relations and enums of the schema public, with their types, as JSON. Who may
-- call a function is what the wall's list says (supabase/tests/database/wall/rpcs.sql, which runs before this).
set search_path to pg_catalog;
with types as (
  select t.oid, format_type(t.oid, null) as name, e.typname as base, e.typtype = 'e' as enum, t.typcategory = 'A' as list
  from pg_type t join pg_type e on e.oid = case t.typcategory when 'A' then t.typelem else t.oid end),
arguments as (
  select p.oid, a.place, coalesce(p.proargmodes[a.place], 'i') = 't' as is_column, jsonb_build_object('name', p.proargnames[a.place],
    'type', to_jsonb(t) - 'oid', 'default', pg_get_function_arg_default(p.oid, a.place::integer)) as argument
  from pg_proc p, unnest(coalesce(p.proallargtypes, p.proargtypes)) with ordinality a (type, place) join types t on t.oid = a.type),
calls as (select substring(call from '(\w+)\(') as name, who, service, state from pg_temp.wall_rpcs),
callers as (
  select c.name, c.service,
    (select jsonb_agg(role order by place) from (select u.role, min(u.place) as place
      from calls o join pg_temp.wall_groups g on g.name = o.who, unnest(g.roles) with ordinality u (role, place)
      where o.name = c.name and (o.state = '00000' or c.state is null) group by u.role) r) as roles
  from (select name, bool_or(service) as service, min(state) filter (where state = '00000') as state from calls group by name) c),
functions as (
  select p.proname as name, jsonb_build_object('name', p.proname,
    'arguments', coalesce((select jsonb_agg(a.argument order by a.place) from arguments a where a.oid = p.oid and not a.is_column), '[]'),
    'columns', (select jsonb_agg(a.argument order by a.place) from arguments a where a.oid = p.oid and a.is_column),
    'returns', to_jsonb(t) - 'oid', 'set', p.proretset, 'result', pg_get_function_result(p.oid),
    'roles', coalesce(c.roles, '[]'), 'service', coalesce(c.service, false),
    'comment', coalesce(obj_description(p.oid, 'pg_proc'), '')) as fact
  from pg_proc p join types t on t.oid = p.prorettype left join callers c on c.name = p.proname
  where p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype),
relations as (
  select c.relname as name, jsonb_build_object('name', c.relname, 'view', c.relkind = 'v',
    'columns', (select jsonb_agg(jsonb_build_object('name', a.attname, 'type', to_jsonb(t) - 'oid', 'null', not a.attnotnull,
        'default', a.atthasdef or a.attidentity <> '', 'computed', a.attgenerated <> '' or a.attidentity = 'a') order by a.attname)
      from pg_attribute a join types t on t.oid = a.atttypid where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    'links', coalesce((select jsonb_agg(jsonb_build_object('name', k.conname, 'to', p.relname,
        'columns', (select jsonb_agg(a.attname order by u.place) from unnest(k.conkey) with ordinality u (key, place)
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.key),
        'keys', (select jsonb_agg(a.attname order by u.place) from unnest(k.confkey) with ordinality u (key, place)
          join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.key),
        'one', exists (select from pg_index i where i.indrelid = c.oid and i.indisunique and i.indpred is null
          and string_to_array(i.indkey::text, ' ')::smallint[] <@ k.conkey)) order by k.conname)
      from pg_constraint k join pg_class p on p.oid = k.confrelid
      where k.conrelid = c.oid and k.contype = 'f' and p.relnamespace = c.relnamespace), '[]')) as fact
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and c.relname !~ '^gateway_test_'
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')),
enums as (
  select t.typname as name, jsonb_build_object('name', t.typname, 'labels',
    (select jsonb_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid)) as fact
  from pg_type t where t.typnamespace = 'public'::regnamespace and t.typtype = 'e')
select jsonb_build_object(
  'functions', (select jsonb_agg(fact order by name collate "C") from functions),
  'relations', (select jsonb_agg(fact order by name collate "C") from relations),
  'enums', (select jsonb_agg(fact order by name collate "C") from enums));
