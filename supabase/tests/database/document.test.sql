-- Attachments and documents, by hand on the tables, and the policies on the files themselves.
begin;
select plan(35);

create function pg_temp.act_as(login text) returns void language plpgsql as $$
begin
  reset role;
  perform set_config('request.jwt.claims', (select jsonb_build_object('sub', id, 'role', 'authenticated')::text
    from auth.users where email = login), true);
  set local role authenticated;
end $$;
grant execute on function pg_temp.act_as(text) to authenticated;

create temporary table sample as
select o.id as org_id, c.id as customer_id, other.id as other_id, gen_random_uuid() as attachment_id
from orgs o,
  lateral (select id from customers where org_id = o.id and owner_id is null order by id limit 1) c,
  lateral (select x.id from customers x where x.org_id = o.id and x.owner_id is null and x.id <> c.id order by x.id limit 1) other
where o.id in ('11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222');
grant select on sample to authenticated;
create function pg_temp.ours() returns sample language sql stable as
  $$select * from sample where org_id = '11111111-1111-4111-8111-111111111111'$$;
create function pg_temp.theirs() returns sample language sql stable as
  $$select * from sample where org_id = '22222222-2222-4222-8222-222222222222'$$;
grant execute on function pg_temp.ours(), pg_temp.theirs() to authenticated;
insert into attachments (id, org_id, customer_id, object_name, file_name)
select attachment_id, org_id, customer_id, org_id || '/' || customer_id || '/sample.txt', 'sample.txt' from sample;
insert into documents (org_id, customer_id, type, title, attachment_id)
select org_id, customer_id, 'contract', 'Sample', attachment_id from sample;

create temporary table outcome (role text, tab text, command text, own boolean, rows bigint);
grant all on outcome to authenticated;
do $$
declare
  l record;
  s record;
  statement record;
  n bigint;
begin
  for l in select u.email, p.org_id, p.role from auth.users u join profiles p using (id)
    where u.email ~ '@(northwind|volt)\.example$' loop
    for s in select * from sample loop
      for statement in select * from (values
        ('attachments', 'select', 'select from attachments where customer_id = $2'),
        ('attachments', 'insert', 'insert into attachments (org_id, customer_id, object_name, file_name) values ($1, $2, $1 || ''/'' || $2 || ''/new.txt'', ''new.txt'')'),
        ('attachments', 'update', 'update attachments set file_name = ''x'' where customer_id = $2'),
        ('attachments', 'delete', 'delete from attachments where customer_id = $2'),
        ('documents', 'select', 'select from documents where customer_id = $2'),
        ('documents', 'insert', 'insert into documents (org_id, customer_id, type, title) values ($1, $2, ''other'', ''x'')'),
        ('documents', 'update', 'update documents set is_customer_visible = true where customer_id = $2'),
        ('documents', 'delete', 'delete from documents where customer_id = $2')) v (tab, command, text) loop
        begin
          perform pg_temp.act_as(l.email);
          execute statement.text using s.org_id, s.customer_id;
          get diagnostics n = row_count;
          raise exception using errcode = 'UNDO1';
        exception
          when sqlstate 'UNDO1' then null;
          when insufficient_privilege then n := 0;
        end;
        insert into outcome values (l.role, statement.tab, statement.command, s.org_id = l.org_id, n);
      end loop;
    end loop;
  end loop;
  reset role;
end $$;
select is((select count(*) from outcome), (24 * 2 * 8)::bigint, 'every role of both orgs tried every command on both tables of both orgs');
select is_empty($$select * from outcome where not own and rows > 0$$, 'nobody reads or writes a row of the other org');
select results_eq(format($$select distinct role from outcome where own and tab = %L and command = 'select' and rows > 0 order by 1$$, t),
  array['admin', 'csr', 'dispatcher', 'manager', 'member', 'owner', 'sales', 'viewer'], format('who reads %s', t))
from unnest(array['attachments', 'documents']) t;
select results_eq(format($$select distinct role from outcome where own and tab = %L and command = %L and rows > 0 order by 1$$, t, c),
  array['admin', 'csr', 'manager', 'owner', 'sales'], format('%s on %s: who writes customers', c, t))
from unnest(array['attachments', 'documents']) t, unnest(array['insert', 'update', 'delete']) c;

-- A member: on their own customers.
reset role;
update customers set owner_id = (select id from profiles where email = 'member@northwind.example') where id = (select other_id from pg_temp.ours());
select pg_temp.act_as('member@northwind.example');
select lives_ok($$insert into attachments (customer_id, object_name, file_name)
  select other_id, org_id || '/' || other_id || '/mine.txt', 'mine.txt' from pg_temp.ours()$$, 'a member adds to their own customer');
select lives_ok($$insert into documents (customer_id, type, title) select other_id, 'photo', 'Mine' from pg_temp.ours()$$, 'documents as well');
select throws_ok($$insert into documents (customer_id, type, title) select customer_id, 'photo', 'x' from pg_temp.ours()$$, '42501', null,
  'not to somebody else''s');
select throws_ok($$update documents set customer_id = (select customer_id from pg_temp.ours()) where title = 'Mine'$$, '42501', null,
  'nor moves one there');
delete from documents where title in ('Mine', 'Sample');
select results_eq($$select title from documents where title in ('Mine', 'Sample')$$, array['Sample'], 'and removes only what is theirs');

-- Where a file is.
select pg_temp.act_as('csr@northwind.example');
prepare attach (text) as insert into attachments (customer_id, object_name, file_name) select customer_id, $1, 'x.txt' from pg_temp.ours();
select throws_ok(format('execute attach(%L)', a.org_id || '/' || a.customer_id || '/x.txt'), '42501', null, 'an object of another org is not ours to name')
from pg_temp.theirs() a;
select throws_ok($$execute attach('x.txt')$$, '42501', null, 'nor one without an org');
select throws_ok(format('execute attach(%L)', '/' || a.org_id || '/x.txt'), '42501', null, 'the org is the first folder') from pg_temp.ours() a;
select throws_ok(format('execute attach(%L)', a.org_id || 'x/x.txt'), '42501', null, 'the whole folder') from pg_temp.ours() a;
select lives_ok(format('execute attach(%L)', a.org_id || '/' || a.customer_id || '/x.txt'), 'ours is') from pg_temp.ours() a;
select throws_ok(format('execute attach(%L)', a.org_id || '/' || a.customer_id || '/x.txt'), '23505', null, 'and belongs to one row') from pg_temp.ours() a;
select throws_ok($$update attachments set bucket_id = 'avatars'$$, '42501', null, 'the bucket is one');
select throws_ok($$update attachments set object_name = replace(object_name, '1111', '2222')$$, '42501', null, 'no row comes to point at another org');

-- What belongs together.
select throws_ok($$insert into documents (customer_id, type, title, attachment_id) select other_id, 'photo', 'x', attachment_id from pg_temp.ours()$$,
  '23503', null, 'a document has an attachment of its customer');
select throws_ok($$insert into documents (customer_id, type, title, attachment_id)
  select a.customer_id, 'photo', 'x', b.attachment_id from pg_temp.ours() a, pg_temp.theirs() b$$, '23503', null, 'not of another org');
select throws_ok($$insert into documents (customer_id, type, title) select customer_id, 'photo', 'x' from pg_temp.theirs()$$, '23503', null,
  'nor is it for a customer of another org');
select throws_ok($$insert into documents (customer_id, type, title) select customer_id, 'receipt', 'x' from pg_temp.ours()$$, '23514', null, 'a type is one of the list');
select throws_ok($$insert into attachments (customer_id, object_name, file_name, size_bytes)
  select customer_id, org_id || '/' || customer_id || '/y.txt', 'y.txt', -1 from pg_temp.ours()$$, '23514', null, 'a size is not negative');
select throws_ok(format($$insert into documents (customer_id, type, title, created_by_user_id) select customer_id, 'other', 'x', %L from pg_temp.ours()$$, p.id),
  '42501', null, 'nobody makes a document in the name of another')
from profiles p where p.email = 'owner@northwind.example';
select is((select is_customer_visible from documents d join pg_temp.ours() o on d.attachment_id = o.attachment_id), false,
  'a customer sees no document unless somebody says so');
select lives_ok($$delete from attachments a using pg_temp.ours() o where a.id = o.attachment_id$$, 'an attachment can go');
select is((select count(*) from documents where title = 'Sample' and attachment_id is null), 1::bigint, 'and leaves its document');

-- The files: the first folder of their name is their org.
reset role;
do $$
begin
  if to_regclass('storage.objects') is not null then
    insert into storage.objects (bucket_id, name)
    select 'attachments', org_id || '/' || customer_id || '/sample.txt' from sample on conflict do nothing;
    insert into storage.objects (bucket_id, name) values ('attachments', 'loose.txt') on conflict do nothing;
  end if;
end $$;
create temporary table files (role text, command text, own boolean, rows bigint);
grant all on files to authenticated;
do $$
declare
  l record;
  s record;
  statement record;
  n bigint;
begin
  if to_regclass('storage.objects') is null then
    return;
  end if;
  for l in select u.email, p.org_id, p.role from auth.users u join profiles p using (id) where u.email ~ '@(northwind|volt)\.example$' loop
    for s in select org_id::text as folder, org_id from sample union all select 'loose.txt', null loop
      for statement in select * from (values
        ('select', 'select from storage.objects where bucket_id = ''attachments'' and name like $1 || ''%'''),
        ('insert', 'insert into storage.objects (bucket_id, name) values (''attachments'', $1 || ''/new.txt'')'),
        ('update', 'update storage.objects set name = name || ''x'' where bucket_id = ''attachments'' and name like $1 || ''%'''),
        ('delete', 'delete from storage.objects where bucket_id = ''attachments'' and name like $1 || ''%''')) v (command, text) loop
        begin
          perform pg_temp.act_as(l.email);
          execute statement.text using s.folder;
          get diagnostics n = row_count;
          raise exception using errcode = 'UNDO1';
        exception
          when sqlstate 'UNDO1' then null;
          when insufficient_privilege then n := 0;
        end;
        insert into files values (l.role, statement.command, s.org_id is not distinct from l.org_id, n);
      end loop;
    end loop;
  end loop;
  reset role;
end $$;
select is_empty('select * from files where not own and rows > 0', 'nobody reaches a file of another org, or of none');
select case when to_regclass('storage.objects') is null then skip('there is no Storage here', 2) else collect_tap(
  results_eq($$select distinct role from files where own and command = 'select' and rows > 0 order by 1$$,
    array['admin', 'csr', 'dispatcher', 'manager', 'member', 'owner', 'sales', 'viewer'], 'who reads files'),
  results_eq($$select role from files where own and command in ('insert', 'update', 'delete') and rows > 0 group by 1 having count(distinct command) = 3 order by 1$$,
    array['admin', 'csr', 'manager', 'owner', 'sales'], 'who writes them')) end;
select * from finish();
rollback;
