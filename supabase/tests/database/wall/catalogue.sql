-- Every table and view of our schemas, with the column that identifies a row and the one that names its org.
create temporary table wall_catalogue as
select c.oid, format('%s.%s', n.nspname, c.relname) as tab, k.key, case when o.attname is null then 'id' else 'org_id' end as org_column
from pg_class c join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute o on o.attrelid = c.oid and o.attname = 'org_id'
left join lateral (select x.attname as key from pg_attribute x where x.attrelid = c.oid
  and x.attname in ('id', 'work_order_id', 'customer_id', 'key', 'channel_id', 'org_id') order by array_position('{id,work_order_id,customer_id,key,channel_id,org_id}', x.attname::text) limit 1) k on true
where n.nspname in ('public', 'fieldcrm') and c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relname !~ '^gateway_test_'
  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e');
