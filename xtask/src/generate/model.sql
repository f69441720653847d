-- docs/data-model.md from the catalogue: for each feature a diagram of its tables' keys and what each table is for.
set search_path to pg_catalog;
with features (position, feature, tables) as (values
  (1, 'Tenancy', '{orgs,profiles,org_invites,idempotency_keys}'::text[]),
  (2, 'Customers', '{customers,customer_locations,customer_contacts,crm_preferences,crm_tags,crm_customer_tags,customer_search}'),
  (3, 'Products', '{products}'),
  (4, 'Scheduling and billing', '{work_orders,work_order_events,quotes,invoices}'),
  (5, 'Activity', '{crm_interactions,customer_interactions,crm_followups,crm_message_templates}'),
  (6, 'Documents', '{attachments,documents}'),
  (7, 'Segments', '{crm_segments,crm_segment_members}'),
  (8, 'Figures', '{customer_metrics,customer_metrics_recomputed}'),
  (9, 'Trail', '{audit_log,crm_access_log}')),
relations as (
  select c.oid, c.relname, c.relkind, n.nspname, coalesce(f.position, 99) as position, coalesce(f.feature, 'Other') as feature,
    case n.nspname when 'public' then c.relname else n.nspname || '_' || c.relname end as entity,
    coalesce(array_position(f.tables, c.relname::text), 0) as place
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  left join features f on c.relname = any (f.tables)
  where n.nspname in ('public', 'fieldcrm') and c.relkind in ('r', 'p', 'v', 'm') and c.relname !~ '^gateway_test_'
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')),
links as (
  select r.oid, r.feature, r.relname, k.conkey, a.attname as named, a.attnotnull,
    coalesce(p.entity, pn.nspname || '_' || pc.relname) as parent, r.entity as child,
    exists (select from pg_index i where i.indrelid = r.oid and i.indisunique and i.indpred is null
      and string_to_array(i.indkey::text, ' ')::smallint[] <@ k.conkey) as one
  from pg_constraint k join relations r on r.oid = k.conrelid
  join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[cardinality(k.conkey)]
  join pg_class pc on pc.oid = k.confrelid join pg_namespace pn on pn.oid = pc.relnamespace
  left join relations p on p.oid = k.confrelid
  where k.contype = 'f'),
keys as (
  select r.oid, a.attnum, format('    %s %s %s', regexp_replace(format_type(a.atttypid, null), '\W+', '_', 'g'), a.attname,
    concat_ws(', ', case when x.is_primary then 'PK' end, case when x.is_foreign then 'FK' end, case when x.is_unique then 'UK' end)) as line
  from relations r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped,
  lateral (select
    exists (select from pg_constraint k where k.conrelid = r.oid and k.contype = 'p' and a.attnum = any (k.conkey)) as is_primary,
    exists (select from links l where l.oid = r.oid and a.attnum = any (l.conkey)) as is_foreign,
    exists (select from pg_index i where i.indrelid = r.oid and i.indisunique and not i.indisprimary and i.indnkeyatts = 1 and i.indkey[0] = a.attnum
      and i.indpred is null) as is_unique) x
  where x.is_primary or x.is_foreign or x.is_unique),
sections as (
  select r.position, format(E'## %s\n\n```mermaid\nerDiagram\n%s%s\n```\n\n| Table | What it is |\n|---|---|\n%s', r.feature,
    string_agg(coalesce(format(E'  %s {\n%s\n  }', r.entity, (select string_agg(k.line, E'\n' order by k.attnum) from keys k where k.oid = r.oid)),
      '  ' || r.entity), E'\n' order by r.place, r.relname),
    coalesce(E'\n' || (select string_agg(format('  %s %s--%s %s : %s', l.parent, case when l.attnotnull then '||' else '|o' end,
      case when l.one then 'o|' else 'o{' end, l.child, l.named), E'\n' order by l.child, l.named, l.parent)
      from links l where l.feature = r.feature and l.named <> 'org_id'), ''),
    string_agg(format('| `%s.%s`%s | %s |', r.nspname, r.relname, case r.relkind when 'v' then ' (view)' else '' end,
      replace(coalesce(obj_description(r.oid, 'pg_class'), ''), '|', '\|')), E'\n' order by r.place, r.relname)) as text
  from relations r group by r.position, r.feature)
select string_agg(text, E'\n\n' order by position) from sections;
