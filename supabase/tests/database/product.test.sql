-- Products, by hand on the table: who may do what, three active at most, and what a customer keeps of one that goes.
begin;
select plan(26);

create function pg_temp.act_as(login text) returns void language plpgsql as $$
begin
  reset role;
  perform set_config('request.jwt.claims', (select jsonb_build_object('sub', id, 'role', 'authenticated')::text
    from auth.users where email = login), true);
  set local role authenticated;
end $$;
grant execute on function pg_temp.act_as(text) to authenticated;

update customers set product_id = null;
delete from products;
insert into products (id, org_id, name, is_active) values
  ('a0000000-0000-4000-8000-000000000001', '11111111-1111-4111-8111-111111111111', 'Heat pump', true),
  ('b0000000-0000-4000-8000-000000000001', '22222222-2222-4222-8222-222222222222', 'Charger', true);

create temporary table outcome (role text, command text, own boolean, rows bigint);
grant all on outcome to authenticated;
do $$
declare
  l record;
  org uuid;
  statement record;
  n bigint;
begin
  for l in select u.email, p.org_id, p.role from auth.users u join profiles p using (id)
    where u.email ~ '@(northwind|volt)\.example$' loop
    foreach org in array array['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']::uuid[] loop
      for statement in select * from (values
        ('select', 'select from products where org_id = $1'),
        ('insert', 'insert into products (org_id, name) values ($1, ''Boiler'')'),
        ('update', 'update products set description = ''x'' where org_id = $1'),
        ('delete', 'delete from products where org_id = $1')) v (command, text) loop
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
select is((select count(*) from outcome), (24 * 2 * 4)::bigint, 'every role of both orgs tried every command on both orgs');
select is_empty($$select * from outcome where not own and rows > 0$$, 'nobody reads or writes a product of the other org');
select results_eq($$select distinct role from outcome where own and command = 'select' and rows > 0 order by 1$$,
  array['admin', 'csr', 'dispatcher', 'manager', 'member', 'owner', 'sales', 'technician', 'viewer'], 'who reads');
select results_eq(format($$select distinct role from outcome where own and command = %L and rows > 0 order by 1$$, c),
  array['admin', 'manager', 'owner'], format('who may %s', c))
from unnest(array['insert', 'update', 'delete']) c;

-- Three are active at most, however they come to be.
select pg_temp.act_as('manager@northwind.example');
select lives_ok($$insert into products (name) values ('Boiler'), ('Filter')$$, 'three are active; the org is the caller''s');
select throws_ok($$insert into products (name) values ('Thermostat')$$, 'PT422', 'Too many products are active', 'a fourth is refused');
select lives_ok($$insert into products (name, is_active) values ('Thermostat', false), ('Valve', false)$$, 'inactive ones are not counted');
select throws_ok($$update products set is_active = true where name = 'Valve'$$, 'PT422', null, 'nor does a fourth become active');
select throws_ok($$insert into products (name, is_active) values ('Pump', false), ('Tank', true)$$, 'PT422', null,
  'one row too many refuses the whole statement');
select is((select count(*) from products where name in ('Pump', 'Tank')), 0::bigint, 'and leaves nothing of it');
select lives_ok($$update products set description = 'Renamed' where is_active$$, 'three that are active can be changed');
select lives_ok($$update products set is_active = name in ('Valve', 'Thermostat', 'Filter')$$, 'three can be exchanged for others in one statement');
select throws_ok($$update products set is_active = true$$, 'PT422', null, 'an update of many rows is counted as a whole');
select lives_ok($$update products set is_active = false where name = 'Filter'$$, 'one is deactivated');
select lives_ok($$insert into products (name) values ('Pump')$$, 'and makes room for another');
reset role;
select throws_ok($$insert into products (org_id, name) values ('11111111-1111-4111-8111-111111111111', 'DBA')$$, 'PT422', null,
  'the limit is for the superuser too');
select lives_ok($$insert into products (org_id, name) values ('22222222-2222-4222-8222-222222222222', 'Fuse box')$$,
  'the products of another org are not counted');
select pg_temp.act_as('manager@northwind.example');
do $$
declare
  detail text;
begin
  insert into products (name) values ('Too many');
exception when sqlstate 'PT422' then
  get stacked diagnostics detail = pg_exception_detail;
  perform set_config('test.detail', detail, true);
end $$;
select is(current_setting('test.detail')::jsonb, '{"code": "product_limit"}', 'the refusal carries its code');

select throws_ok($$insert into products (name, is_active) values ('hEAT pUMP', false)$$, '23505', null, 'a name is unique whatever its case');
select throws_ok($$insert into products (name, is_active) values (' ', false)$$, '23514', null, 'a name is not blank');
select throws_ok($$update products set org_id = '22222222-2222-4222-8222-222222222222'$$, '42501', null, 'no product moves to another org');

-- What a customer keeps.
reset role;
create temporary table linked as
  select c.id, to_jsonb(c) - '{product_id,updated_at}'::text[] as columns from customers c
  where c.org_id = '11111111-1111-4111-8111-111111111111' order by c.id limit 2;
grant select on linked to authenticated;
select pg_temp.act_as('csr@northwind.example');
update customers set product_id = 'a0000000-0000-4000-8000-000000000001' where id in (select id from linked);
select throws_ok($$update customers set product_id = 'b0000000-0000-4000-8000-000000000001' where id in (select id from linked)$$,
  '23503', null, 'a customer has no product of another org');
select pg_temp.act_as('manager@northwind.example');
delete from products where id = 'a0000000-0000-4000-8000-000000000001';
reset role;
select results_eq($$select c.product_id, to_jsonb(c) - '{product_id,updated_at}'::text[] from customers c join linked using (id) order by c.id$$,
  $$select null::uuid, columns from linked order by id$$, 'a product that goes leaves the customer as they were, without it');
select throws_ok($$update customers set product_id = (select id from products where org_id = '22222222-2222-4222-8222-222222222222' limit 1)
  where id in (select id from linked)$$, '23503', null, 'nor for the superuser');

select * from finish();
rollback;
