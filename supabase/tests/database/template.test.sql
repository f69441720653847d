-- Message templates, by hand on the table: who writes them, and that the locked ones stay as they are.
begin;
select plan(29);

create function pg_temp.act_as(login text) returns void language plpgsql as $$
begin
  reset role;
  perform set_config('request.jwt.claims', (select jsonb_build_object('sub', id, 'role', 'authenticated')::text
    from auth.users where email = login), true);
  set local role authenticated;
end $$;
grant execute on function pg_temp.act_as(text) to authenticated;

delete from crm_message_templates where name in ('Locked', 'Open');
insert into crm_message_templates (org_id, name, channel, body, is_system)
select o.id, n, 'sms', 'Hi {{ customer.first_name }}', n = 'Locked'
from orgs o, unnest(array['Locked', 'Open']) n
where o.id in ('11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222');

create temporary table outcome (role text, command text, own boolean, rows bigint);
grant all on outcome to authenticated;
do $$
declare
  l record;
  org uuid;
  statement record;
  n bigint;
begin
  for l in select u.id, u.email, p.org_id, p.role from auth.users u join profiles p using (id)
    where u.email ~ '@(northwind|volt)\.example$' loop
    foreach org in array array['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']::uuid[] loop
      for statement in select * from (values
        ('select', 'select from crm_message_templates where org_id = $1'),
        ('insert', 'insert into crm_message_templates (org_id, name, channel, body) values ($1, ''Fresh'', ''email'', ''x'')'),
        ('update', 'update crm_message_templates set body = ''x'' where org_id = $1 and name = ''Open'''),
        ('delete', 'delete from crm_message_templates where org_id = $1 and name = ''Open'''),
        ('update locked', 'update crm_message_templates set body = ''x'' where org_id = $1 and name = ''Locked'''),
        ('unlock', 'update crm_message_templates set is_system = false where org_id = $1 and name = ''Locked'''),
        ('delete locked', 'delete from crm_message_templates where org_id = $1 and name = ''Locked'''),
        ('insert locked', 'insert into crm_message_templates (org_id, name, channel, body, is_system) values ($1, ''Fresh'', ''email'', ''x'', true)'),
        ('lock', 'update crm_message_templates set is_system = true where org_id = $1 and name = ''Open''')) v (command, text) loop
        begin
          perform pg_temp.act_as(l.email);
          execute statement.text using org;
          get diagnostics n = row_count;
          raise exception using errcode = 'UNDO1';
        exception
          when sqlstate 'UNDO1' then null;
          when insufficient_privilege then n := 0;
        end;
        insert into outcome values (l.role, statement.command, org = l.org_id, n);
      end loop;
    end loop;
  end loop;
  reset role;
end $$;
select is((select count(*) from outcome), (24 * 2 * 9)::bigint, 'every role of both orgs tried every command on both orgs');
select is_empty($$select * from outcome where not own and rows > 0$$, 'nobody reads or writes a template of the other org');
select results_eq($$select distinct role from outcome where own and command = 'select' and rows > 0 order by 1$$,
  array['admin', 'csr', 'dispatcher', 'manager', 'member', 'owner', 'sales', 'viewer'], 'who reads');
select results_eq(format($$select distinct role from outcome where own and command = %L and rows > 0 order by 1$$, c),
  array['admin', 'manager', 'owner'], format('who may %s', c))
from unnest(array['insert', 'update', 'delete']) c;
select is_empty(format($$select role from outcome where command = %L and rows > 0$$, c), format('%s: nobody, owners neither', c))
from unnest(array['update locked', 'unlock', 'delete locked', 'insert locked', 'lock']) c;

-- The refusals that clients see.
select pg_temp.act_as('owner@northwind.example');
select throws_ok($$insert into crm_message_templates (name, channel, body, is_system) values ('x', 'sms', 'x', true)$$, '42501', null,
  'a locked template is not made by a client');
select throws_ok($$update crm_message_templates set is_system = true where name = 'Open'$$, '42501', null, 'nor is one locked');
select is((select count(*) from crm_message_templates where name = 'Locked' and is_system), 1::bigint, 'but all may use it');
select lives_ok($$insert into crm_message_templates (name, channel, body, variables) values ('Mine', 'sms', 'x', '["discount"]')$$,
  'the org and the maker are the caller''s');
select is((select created_by_user_id from crm_message_templates where name = 'Mine'), (select fieldcrm.current_profile_id()), 'who made it is kept');
select throws_ok(format($$insert into crm_message_templates (name, channel, body, created_by_user_id) values ('x', 'sms', 'x', %L)$$, p.id),
  '42501', null, 'nobody makes one in the name of another')
from profiles p where p.email = 'admin@northwind.example';
select throws_ok(format($$update crm_message_templates set created_by_user_id = %L where name = 'Mine'$$, p.id), '42501', null, 'nor gives it away')
from profiles p where p.email = 'admin@northwind.example';
select throws_ok($$update crm_message_templates set org_id = '22222222-2222-4222-8222-222222222222' where name = 'Mine'$$, '42501', null,
  'no template moves to another org');

-- Values.
select throws_ok($$insert into crm_message_templates (name, channel, body) values ('Mine', 'sms', 'y')$$, '23505', null, 'a name is used once a channel');
select lives_ok($$insert into crm_message_templates (name, channel, body) values ('Mine', 'email', 'y')$$, 'and again in another channel');
select throws_ok($$insert into crm_message_templates (name, channel, body) values ('x', 'fax', 'x')$$, '22P02', null, 'a channel is one of four');
select throws_ok($$insert into crm_message_templates (name, channel, body) values (' ', 'sms', 'x')$$, '23514', null, 'a name is not blank');
select throws_ok($$insert into crm_message_templates (name, channel, body) values ('x', 'sms', ' ')$$, '23514', null, 'a body is not blank');
select throws_ok($$insert into crm_message_templates (name, channel, body) values ('x', 'sms', repeat('x', 100001))$$, '23514', null, 'nor endless');
select throws_ok($$insert into crm_message_templates (name, channel, body, variables) values ('x', 'sms', 'x', '{"a": 1}')$$, '23514', null,
  'variables are a list');
reset role;
select lives_ok($$update crm_message_templates set body = 'Hello' where name = 'Locked'$$, 'the operator changes a locked template');
select lives_ok($$delete from auth.users where email = 'owner@northwind.example'$$, 'a login can go');
select results_eq($$select distinct created_by_user_id from crm_message_templates where name = 'Mine'$$, 'values (null::uuid)', 'what it made stays');

select * from finish();
rollback;
