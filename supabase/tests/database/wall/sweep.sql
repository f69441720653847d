-- Statements without a condition: what they reach is what the wall lets through.

-- Everything of the other org that anybody sees.
create temporary table wall_leaks (tab text, caller text, org_id uuid, leaked bigint);
do $$
declare
  t record;
  c wall_callers;
  n bigint;
begin
  for t in select k.* from wall_catalogue k where k.tab not like 'fieldcrm.customer_search' loop
    for c in select * from wall_callers where caller <> 'service_role' loop
      begin
        perform pg_temp.become(c);
        -- Rows without an org are for all.
        execute format('select count(*) from %s where %I <> $1', t.tab, t.org_column) into n using c.org_id;
        raise sqlstate 'UNDO1';
      exception
        when sqlstate 'UNDO1' then null;
        when insufficient_privilege then n := 0;
      end;
      insert into wall_leaks values (t.tab, c.caller, c.org_id, n);
    end loop;
  end loop;
end $$;

-- The most powerful of one org updates and deletes all they can: not a byte of the other org changes.
create function pg_temp.wall_digest(tab text, org_column text, org uuid) returns text language plpgsql as $$
declare
  digest text;
begin
  execute format('select count(*) || '' '' || md5(coalesce(string_agg(t::text, '''' order by t::text), '''')) from %s t where %I = $1', tab, org_column)
    into digest using org;
  return digest;
end $$;
create temporary table wall_damage (tab text, by_tab text, command text);
do $$
declare
  t record;
  holder record;
  c wall_callers;
  foreign_org uuid;
  command text;
  columns text;
  damaged text[];
begin
  select * into c from wall_callers where caller = 'owner' and org_id = (select min(org_id::text)::uuid from wall_orgs);
  select org_id into foreign_org from wall_orgs where org_id <> c.org_id;
  create temporary table wall_before as
    select k.tab, k.org_column, pg_temp.wall_digest(k.tab, k.org_column, foreign_org) as digest from wall_catalogue k;
  for t in select k.* from wall_catalogue k loop
    foreach command in array array['update', 'delete'] loop
      select quote_ident(a.attname) into columns from pg_attribute a
      where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attname <> t.key
      order by has_column_privilege('authenticated', t.oid, a.attnum, 'update') desc, a.attname = 'org_id', a.attnum limit 1;
      damaged := '{}';
      begin
        -- What would not let go of a row is removed first.
        for holder in select k.conrelid::regclass as tab from pg_constraint k
          where k.contype = 'f' and k.confrelid = t.oid and k.conrelid <> t.oid and k.confdeltype in ('r', 'a')
            and command = 'delete' and has_table_privilege('authenticated', t.oid, 'delete') loop
          execute format('delete from %s where org_id = $1', holder.tab) using c.org_id;
        end loop;
        perform pg_temp.become(c);
        execute case command when 'update' then format('update %1$s set %2$s = %2$s', t.tab, columns) else format('delete from %s', t.tab) end;
        perform set_config('role', 'none', true);
        select array_agg(b.tab) into damaged from wall_before b where pg_temp.wall_digest(b.tab, b.org_column, foreign_org) <> b.digest;
        raise sqlstate 'UNDO1';
      exception
        when sqlstate 'UNDO1' then null;
        when insufficient_privilege or foreign_key_violation or restrict_violation or object_not_in_prerequisite_state then null;
      end;
      insert into wall_damage select x.tab, t.tab, command from unnest(damaged) as x (tab);
    end loop;
  end loop;
end $$;
