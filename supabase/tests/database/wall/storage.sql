-- The files behind the attachments: an object belongs to the org that its first folder names.
create temporary table wall_files (command text, caller text, caller_org uuid, row_org uuid, allowed boolean);
do $$
declare
  c wall_callers;
  o record;
  statement record;
  n bigint;
begin
  if to_regclass('storage.objects') is null then
    return;
  end if;
  insert into storage.objects (bucket_id, name) select 'attachments', org_id || '/wall.txt' from wall_orgs;
  for c in select * from wall_callers where caller <> 'service_role' loop
    for o in select org_id, org_id || '/wall.txt' as name, org_id || '/fresh.txt' as fresh from wall_orgs loop
      for statement in select * from (values ('select', 'select from storage.objects where name = $1'),
        ('insert', 'insert into storage.objects (bucket_id, name) values (''attachments'', $2)'),
        ('update', 'update storage.objects set metadata = ''{}'' where name = $1'),
        ('delete', 'delete from storage.objects where name = $1')) as v (command, text) loop
        begin
          perform pg_temp.become(c);
          execute statement.text using o.name, o.fresh;
          get diagnostics n = row_count;
          raise sqlstate 'UNDO1';
        exception
          when sqlstate 'UNDO1' then null;
          when insufficient_privilege then n := 0;
        end;
        insert into wall_files values (statement.command, c.caller, c.org_id, o.org_id, n > 0);
      end loop;
    end loop;
  end loop;
  -- What is in a folder stays there.
  for c in select * from wall_callers where caller = 'owner' loop
    for o in select org_id from wall_orgs where org_id <> c.org_id loop
      begin
        perform pg_temp.become(c);
        execute 'update storage.objects set name = $1 || ''/moved.txt''' using o.org_id;
        get diagnostics n = row_count;
        raise sqlstate 'UNDO1';
      exception
        when sqlstate 'UNDO1' then null;
        when insufficient_privilege then n := 0;
      end;
      insert into wall_files values ('move', c.caller, c.org_id, o.org_id, n > 0);
    end loop;
  end loop;
end $$;
