-- Tries every command on every table and view, as everybody, on a row of either org, and undoes it.

-- A row of either org, as plain as there is: nobody's own, not locked, with nothing of the callers in it.
create temporary table wall_samples (tab text, org_id uuid, row_data jsonb);
do $$
declare
  t record;
begin
  for t in select c.* from wall_catalogue c join wall_tables using (tab) loop
    execute format('insert into wall_samples select %1$L, o.org_id, x.row_data from wall_orgs o, lateral (
      select to_jsonb(t) as row_data from %1$s t where t.%2$I = o.org_id
      order by (to_jsonb(t) ->> ''status'' = ''inactive'') desc nulls last, (to_jsonb(t) ->> ''is_system'')::boolean nulls last,
        (to_jsonb(t) ->> ''name'' = ''Bare''), t.%3$I limit 1) x', t.tab, t.org_column, t.key);
  end loop;
end $$;

create temporary table wall_outcomes (tab text, command text, caller text, caller_org uuid, row_org uuid, allowed boolean, state text);

do $$
declare
  t record;
  c wall_callers;
  s record;
  command text;
  statement text;
  columns text;
  fresh jsonb;
  n bigint;
  state text;
begin
  for t in select k.*, w.fresh from wall_catalogue k join wall_tables w using (tab) loop
    for c in select * from wall_callers loop
      for s in select x.*, o.bare, o.newcomer, o.domain from wall_samples x join wall_orgs o using (org_id) where x.tab = t.tab loop
        foreach command in array array['select', 'insert', 'update', 'delete'] loop
          fresh := replace(replace(replace(t.fresh::text, '{org}', s.org_id::text), '{bare}', s.bare::text), '{newcomer}', s.newcomer::text);
          fresh := replace(replace(fresh::text, '{inactive}', md5(s.domain || 'inactive')::uuid::text), '{project}', md5(s.domain || 'project')::uuid::text);
          if command = 'insert' then
            -- The columns the caller may fill in; whoever makes a row signs it.
            select string_agg(quote_ident(a.attname), ', ') into columns
            from pg_attribute a
            where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
              and (a.attname <> 'id' or fresh ? 'id')
              and (has_column_privilege(c.db_role, t.oid, a.attnum, 'insert') or not has_any_column_privilege(c.db_role, t.oid, 'insert'));
            fresh := s.row_data || fresh;
            if fresh ? 'created_by_user_id' then
              fresh := fresh || jsonb_build_object('created_by_user_id', c.user_id);
            elsif t.tab = 'public.crm_access_log' then
              fresh := fresh || jsonb_build_object('user_id', c.user_id);
            elsif t.tab = 'public.messages' then
              fresh := fresh || jsonb_build_object('sender_id', c.user_id);
            elsif t.tab = 'public.reports' then
              fresh := fresh || jsonb_build_object('generated_by', c.user_id);
            end if;
            statement := format('insert into %1$s (%2$s) select %2$s from jsonb_populate_record(null::%1$s, $2)', t.tab, columns);
          elsif command = 'update' then
            -- A column the caller may write, set to what it is.
            select quote_ident(a.attname) into columns
            from pg_attribute a
            where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attname <> t.key
            order by has_column_privilege(c.db_role, t.oid, a.attnum, 'update') desc, a.attname = 'org_id', a.attnum limit 1;
            statement := format('update %1$s set %2$s = %2$s where %3$I::text = $1', t.tab, columns, t.key);
          else
            statement := format('%s from %s where %I::text = $1', command, t.tab, t.key);
          end if;
          if t.tab = 'fieldcrm.idempotency_keys' and command <> 'insert' then
            statement := statement || format(' and org_id = %L', s.org_id);
          end if;
          begin
            -- Of what an org has one, the one there is stands in the way of another.
            if command = 'insert' and t.key = 'org_id' then
              execute format('delete from %s where org_id = $1', t.tab) using s.org_id;
            end if;
            perform pg_temp.become(c);
            execute statement using s.row_data ->> t.key, fresh;
            get diagnostics n = row_count;
            raise sqlstate 'UNDO1';
          exception
            when sqlstate 'UNDO1' then
              state := null;
            when others then
              n := 0;
              state := sqlstate;
              -- Rights are asked before foreign keys: who got that far was let in.
              -- Postgres 18 says 23001 where a key is on delete restrict.
              if state in ('23001', '23503') and command = 'delete' then
                n := 1;
              end if;
          end;
          insert into wall_outcomes values (t.tab, command, c.caller, c.org_id, s.org_id, n > 0, state);
        end loop;
      end loop;
    end loop;
  end loop;
end $$;
