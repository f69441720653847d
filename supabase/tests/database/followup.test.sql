-- Follow-ups, by hand on the table: who sees, adds, changes and deletes them, and what the database keeps.
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

create temporary table sample as
select o.id as org_id, c.id as customer_id
from orgs o, lateral (select c.id from customers c where c.org_id = o.id and c.owner_id is null order by c.id limit 1) c
where o.id in ('11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222');
insert into crm_followups (org_id, customer_id, title, due_at) select org_id, customer_id, 'sample', now() from sample;
create temporary table outcome (login text, role text, command text, own boolean, rows bigint);
grant all on sample, outcome to authenticated;

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
        ('select', 'select from crm_followups where customer_id = $2'),
        ('insert', 'insert into crm_followups (org_id, customer_id, title, due_at) values ($1, $2, ''x'', now())'),
        ('update', 'update crm_followups set status = ''completed'' where customer_id = $2 and status = ''pending'''),
        ('delete', 'delete from crm_followups where customer_id = $2')
      ) as v (command, text) loop
        begin
          perform pg_temp.act_as(l.email);
          execute statement.text using s.org_id, s.customer_id;
          get diagnostics n = row_count;
          -- Undo what it did, keep what it counted.
          raise exception using errcode = 'UNDO1';
        exception
          when sqlstate 'UNDO1' then
            null;
          when insufficient_privilege then
            n := 0;
        end;
        insert into outcome values (l.email, l.role, statement.command, s.org_id = l.org_id, n);
      end loop;
    end loop;
  end loop;
  reset role;
end $$;

select is((select count(*) from outcome), (24 * 2 * 4)::bigint, 'every role of both orgs tried every command on the rows of both orgs');
select is_empty($$select login, command from outcome where not own and rows > 0$$, 'nobody sees or changes anything of the other org');
create temporary table allowed (command text, roles text[]);
insert into allowed values
  ('select', array['admin', 'csr', 'dispatcher', 'manager', 'member', 'owner', 'sales', 'viewer']),
  ('insert', array['admin', 'csr', 'dispatcher', 'manager', 'owner', 'sales']),
  ('update', array['admin', 'csr', 'dispatcher', 'manager', 'owner', 'sales']),
  ('delete', array['admin', 'owner']);
select results_eq(
  format($$select distinct role from outcome where own and command = %L and rows > 0 order by 1$$, a.command),
  format('select unnest(%L::text[]) order by 1', a.roles),
  format('%s: %s', a.command, array_to_string(a.roles, ', ')))
from allowed a;
select is_empty($$
  select role, command from outcome where own group by role, command having count(distinct sign(rows)) > 1
$$, 'the same role has the same rights in both orgs');

-- Members: for their own customers, and what they made or are assigned.
update customers set owner_id = (select id from profiles where email = 'member@northwind.example')
where id = (select customer_id from sample where org_id = '11111111-1111-4111-8111-111111111111');
insert into crm_followups (org_id, customer_id, title, due_at, assigned_to_user_id)
select c.org_id, c.id, 'assigned', now(), (select id from profiles where email = 'member@northwind.example')
from customers c where c.org_id = '11111111-1111-4111-8111-111111111111' and c.owner_id is null limit 1;
select pg_temp.act_as('member@northwind.example');
select lives_ok($$insert into crm_followups (customer_id, title, due_at) select customer_id, 'mine', now() from sample order by org_id limit 1$$,
  'a member follows up the customer they own');
select throws_ok($$insert into crm_followups (customer_id, title, due_at) select id, 'x', now() from customers
  where owner_id is null and org_id = fieldcrm.current_org_id() limit 1$$, '42501', null, 'and no other');
with u as (update crm_followups set priority = 'high' returning title)
select is((select array_agg(title order by title) from u), array['assigned', 'mine'], 'and changes what they made or are assigned');

-- What the database fills in and keeps.
select pg_temp.act_as('csr@northwind.example');
with f as (insert into crm_followups (customer_id, title, due_at) select customer_id, 'fresh', now() from sample order by org_id limit 1 returning *)
select is((select (org_id, created_by_user_id, status, priority, origin)::text from f),
  (select (fieldcrm.current_org_id(), fieldcrm.current_profile_id(), 'pending', 'medium', 'manual')::text), 'org, author and defaults are filled in');
select throws_ok($$insert into crm_followups (customer_id, title, due_at, created_by_user_id)
  select customer_id, 'x', now(), (select id from profiles where email = 'sales@northwind.example') from sample order by org_id limit 1$$,
  '42501', null, 'nobody makes one in the name of another');
select lives_ok($$insert into crm_followups (customer_id, title, due_at, origin)
  select customer_id, 'proposed', now(), 'ai_recommendation' from sample order by org_id limit 1$$, 'people take over what a model proposes');
select throws_ok($$insert into crm_followups (customer_id, title, due_at, origin)
  select customer_id, 'x', now(), 'system_rule' from sample order by org_id limit 1$$, '42501', null, 'and do not pass for the system');
select throws_ok($$update crm_followups set origin = 'manual' where title = 'proposed'$$, '42501', null, 'where it came from does not change');
select throws_ok($$update crm_followups set reminded_at = now()$$, '42501', null, 'that a reminder was made is the job''s to say');
with f as (insert into crm_followups (customer_id, title, due_at, remind_at) select customer_id, 'remind', now(), now() from sample order by org_id limit 1 returning *)
select is((select remind_at from f), now(), 'a reminder is wanted from the start');
select throws_ok($$update crm_followups set created_by_user_id = (select id from profiles where email = 'sales@northwind.example')
  where title = 'fresh'$$, '42501', null, 'who made it does not change');
select throws_ok($$update crm_followups set org_id = '22222222-2222-4222-8222-222222222222' where title = 'fresh'$$, '42501', null,
  'it does not move to another org');
with u as (update crm_followups set status = 'completed' where title = 'fresh' returning completed_at)
select is((select completed_at from u), now(), 'completing it says when');
with u as (update crm_followups set status = 'pending' where title = 'fresh' returning completed_at)
select is((select completed_at from u), null, 'opening it again forgets that');
select throws_ok($$update crm_followups set completed_at = now() where title = 'fresh'$$, '42501', null, 'what is pending was not completed');

reset role;
select set_config('request.jwt.claims', '', true);
select throws_ok($$insert into crm_followups (org_id, customer_id, title, due_at, assigned_to_user_id)
  select org_id, customer_id, 'x', now(), (select id from profiles where email = 'csr@volt.example') from sample order by org_id limit 1$$,
  '23503', null, 'nobody of another org is assigned');
select throws_ok($$insert into crm_followups (org_id, customer_id, title, due_at, related_work_order_id)
  select org_id, customer_id, 'x', now(), gen_random_uuid() from sample$$, '23503', null, 'a work order is there');
select throws_ok($$insert into crm_followups (org_id, customer_id, title, due_at) select org_id, customer_id, ' ', now() from sample$$,
  '23514', null, 'a title is not blank');
select throws_ok($$insert into crm_followups (org_id, customer_id, title, due_at) select org_id, customer_id, 'x', 'infinity' from sample$$,
  '23514', null, 'it is due at some time');
select lives_ok($$insert into crm_followups (org_id, customer_id, title, due_at, dedupe_key) select org_id, customer_id, 'once', now(), 'k' from sample$$,
  'a dedupe key is an org''s own');
select throws_ok($$insert into crm_followups (org_id, customer_id, title, due_at, dedupe_key) select org_id, customer_id, 'once', now(), 'k' from sample$$,
  '23505', null, 'and there is one of it');
update crm_followups set assigned_to_user_id = (select id from profiles where email = 'sales@northwind.example') where title = 'fresh';
delete from auth.users where email = 'sales@northwind.example';
delete from auth.users where email = 'csr@northwind.example';
select results_eq($$select assigned_to_user_id, created_by_user_id from crm_followups where title = 'fresh'$$,
  $$values (null::uuid, null::uuid)$$, 'it stays when the logins of author and assignee go');

select * from finish();
rollback;
