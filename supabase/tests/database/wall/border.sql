-- Ways over the wall that are no plain command: foreign ids in foreign keys, rows that move to another org.

-- For each foreign key between rows of orgs: a row of one org that points at a row of the other. As superuser, whom
-- no policy binds. What stands in the way of the attempt itself (a unique key) is removed first.
create temporary table wall_links (link text, state text, has_org boolean);
do $$
declare
  f record;
  state text;
  tried boolean;
  parent_id text;
begin
  for f in
    select k.oid, k.conname, k.conrelid::regclass as child, k.confrelid::regclass as parent,
      (select attname from pg_attribute where attrelid = k.conrelid and attnum = k.conkey[cardinality(k.conkey)]) as child_column,
      (select attname from pg_attribute where attrelid = k.confrelid and attnum = k.confkey[cardinality(k.confkey)]) as parent_column,
      exists (select from unnest(k.conkey, k.confkey) as x (c, p)
        join pg_attribute ca on ca.attrelid = k.conrelid and ca.attnum = x.c and ca.attname = 'org_id'
        join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = x.p and pa.attname = 'org_id') as has_org
    from pg_constraint k join wall_catalogue p on p.oid = k.confrelid
    where k.contype = 'f' and p.org_column = 'org_id' and k.conrelid in (select oid from wall_catalogue) loop
    tried := false;
    state := null;
    begin
      execute format('select t.%2$I from %1$s t where t.org_id = $1 order by to_jsonb(t) ->> ''name'' = ''Bare'' desc, t.%2$I limit 1',
        f.parent, f.parent_column) into parent_id using (select max(org_id::text)::uuid from wall_orgs);
      if f.child <> f.parent then
        execute format('delete from %s where %I = %L', f.child, f.child_column, parent_id);
      end if;
      execute format('update %1$s c set %2$I = %3$L where c.ctid = (select x.ctid from %1$s x where x.org_id = $1
        order by to_jsonb(x) ->> ''name'' = ''Bare'' desc limit 1)', f.child, f.child_column, parent_id)
        using (select min(org_id::text)::uuid from wall_orgs);
      get diagnostics tried = row_count;
      raise sqlstate 'UNDO1';
    exception
      when sqlstate 'UNDO1' then state := case when tried then 'it was let through' else 'no row to try' end;
      when others then state := sqlstate;
    end;
    insert into wall_links values (format('%s.%s', f.child, f.conname), state, f.has_org);
  end loop;
end $$;

-- Every role of one org tries to give its rows away.
create temporary table wall_moves (tab text, caller text, moved bigint, state text);
do $$
declare
  t record;
  c wall_callers;
  n bigint;
  state text;
  foreign_org constant uuid := (select max(org_id::text) from wall_orgs);
begin
  for t in select * from wall_catalogue where org_column = 'org_id' and tab not like 'fieldcrm.customer_search' loop
    for c in select * from wall_callers where db_role = 'authenticated' and org_id = (select min(org_id::text)::uuid from wall_orgs) loop
      begin
        perform pg_temp.become(c);
        execute format('update %s set org_id = $1', t.tab) using foreign_org;
        get diagnostics n = row_count;
        raise sqlstate 'UNDO1';
      exception
        when sqlstate 'UNDO1' then state := null;
        when others then
          n := 0;
          state := sqlstate;
      end;
      insert into wall_moves values (t.tab, c.caller, n, state);
    end loop;
  end loop;
end $$;

-- A unique key without the org in it is asked before the foreign key: who adds a copy of a foreign row under their own org_id
-- would learn whether the customer has one. So it must fail as it does for a customer that nobody has.
create temporary table wall_probes (tab text, foreign_state text, absent_state text);
do $$
declare
  t record;
  c wall_callers;
  mine jsonb;
  columns text;
  customer uuid;
  states text[];
begin
  select * into c from wall_callers where caller = 'owner' and org_id = (select min(org_id::text)::uuid from wall_orgs);
  for t in select k.*, s.row_data as theirs from wall_catalogue k
    join wall_samples s on s.tab = k.tab and s.org_id = (select max(org_id::text)::uuid from wall_orgs)
    where s.row_data ->> 'customer_id' is not null and exists (select from pg_attribute a
      where a.attrelid = k.oid and a.attname = 'customer_id' and has_column_privilege('authenticated', k.oid, a.attnum, 'insert'))
      and k.tab <> 'fieldcrm.idempotency_keys' loop
    select string_agg(quote_ident(a.attname), ', ') into columns
    from pg_attribute a
    where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attname <> 'id'
      and has_column_privilege('authenticated', t.oid, a.attnum, 'insert');
    states := '{}';
    foreach customer in array array[(t.theirs ->> 'customer_id')::uuid, '99999999-9999-4999-8999-999999999999'::uuid] loop
      -- What the policies ask of a row is fulfilled: its author, the folder of a file.
      mine := t.theirs || jsonb_build_object('org_id', c.org_id, 'customer_id', customer) || (
        select coalesce(jsonb_object_agg(v.key, v.value), '{}') from (values ('created_by_user_id', to_jsonb(c.user_id)),
          ('assigned_by_user_id', to_jsonb(c.user_id)), ('user_id', to_jsonb(c.user_id)), ('origin', '"manual"'),
          ('object_name', to_jsonb(concat_ws('/', c.org_id, customer, 'probe')))) as v (key, value)
        where t.theirs ? v.key);
      begin
        -- A number that the own org has too is in the way; what is append-only has none.
        begin
          execute format('delete from %s where org_id = $1', t.tab) using c.org_id;
        exception
          when others then null;
        end;
        perform pg_temp.become(c);
        execute format('insert into %1$s (%2$s) select %2$s from jsonb_populate_record(null::%1$s, $1)', t.tab, columns) using mine;
        raise sqlstate 'UNDO1';
      exception
        when others then states := states || sqlstate::text;
      end;
    end loop;
    insert into wall_probes values (t.tab, states[1], states[2]);
  end loop;
end $$;
