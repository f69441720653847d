-- Interactions, by hand on the table and the older clients' view: who logs, who sees, and that nothing is ever changed.
begin;
select plan(36);

create function pg_temp.act_as(login text) returns void language plpgsql as $$
begin
  reset role;
  perform set_config('request.jwt.claims', (select jsonb_build_object('sub', id, 'role', 'authenticated')::text
    from auth.users where email = login), true);
  set local role authenticated;
end $$;
-- The service role, or the owner of the database: with no claims of a signed-in user.
create function pg_temp.act_as_backend(name text) returns void language plpgsql as $$
begin
  reset role;
  perform set_config('request.jwt.claims', '', true);
  execute format('set local role %I', name);
end $$;
grant execute on function pg_temp.act_as(text) to authenticated;

create temporary table sample as
select o.id as org_id, c.id as customer_id
from orgs o, lateral (select c.id from customers c where c.org_id = o.id and c.owner_id is null order by c.id limit 1) c
where o.id in ('11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222');
insert into crm_interactions (org_id, customer_id, channel, body) select org_id, customer_id, 'note', 'sample' from sample;
create temporary table outcome (login text, role text, tab text, command text, own boolean, rows bigint);
grant all on sample, outcome to authenticated, service_role;

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
        ('crm_interactions', 'select', 'select from crm_interactions where customer_id = $2'),
        ('crm_interactions', 'insert', 'insert into crm_interactions (org_id, customer_id, channel) values ($1, $2, ''note'')'),
        ('crm_interactions', 'update', 'update crm_interactions set body = ''x'' where customer_id = $2'),
        ('crm_interactions', 'delete', 'delete from crm_interactions where customer_id = $2'),
        ('customer_interactions', 'select', 'select from customer_interactions where customer_id = $2'),
        ('customer_interactions', 'insert', 'insert into customer_interactions (org_id, customer_id, channel, note) values ($1, $2, ''phone'', ''x'')'),
        ('customer_interactions', 'update', 'update customer_interactions set note = ''x'' where customer_id = $2'),
        ('customer_interactions', 'delete', 'delete from customer_interactions where customer_id = $2')
      ) as v (tab, command, text) loop
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
        insert into outcome values (l.email, l.role, statement.tab, statement.command, s.org_id = l.org_id, n);
      end loop;
    end loop;
  end loop;
  reset role;
end $$;

select is((select count(*) from outcome), (24 * 2 * 8)::bigint, 'every role of both orgs tried every command on the rows of both orgs');
select is_empty($$select login, tab, command from outcome where not own and rows > 0$$, 'nobody sees or logs anything in the other org');
select is_empty($$select login, tab, command from outcome where command in ('update', 'delete') and rows > 0$$,
  'nobody changes or deletes an interaction');
select results_eq($$select distinct role from outcome where own and tab = 'crm_interactions' and command = 'select' and rows > 0 order by 1$$,
  $$select unnest(array['admin', 'csr', 'dispatcher', 'manager', 'member', 'owner', 'sales', 'viewer'])$$, 'staff see the interactions of their org');
select results_eq($$select distinct role from outcome where own and tab = 'crm_interactions' and command = 'insert' and rows > 0 order by 1$$,
  $$select unnest(array['admin', 'csr', 'dispatcher', 'manager', 'owner', 'sales'])$$, 'who may log interactions logs with every customer');
select is_empty($$
  select role, command from outcome where own group by role, command having count(distinct sign(rows)) > 1
$$, 'the view gives the rights of the table, in both orgs');

-- Members: with their own customers.
update customers set owner_id = (select id from profiles where email = 'member@northwind.example')
where id = (select customer_id from sample where org_id = '11111111-1111-4111-8111-111111111111');
select pg_temp.act_as('member@northwind.example');
select lives_ok($$insert into crm_interactions (customer_id, channel) select customer_id, 'note' from sample order by org_id limit 1$$,
  'a member logs with the customer they own');
select throws_ok($$insert into crm_interactions (customer_id, channel) select id, 'note' from customers
  where owner_id is null and org_id = fieldcrm.current_org_id() limit 1$$, '42501', null, 'and with no other');

-- What the database fills in.
select pg_temp.act_as('csr@northwind.example');
create temporary table made (id uuid) on commit drop;
with i as (insert into crm_interactions (customer_id, channel) select customer_id, 'phone_inbound' from sample order by org_id limit 1 returning *)
select is((select (i.org_id, i.created_by_user_id, i.direction)::text from i),
  (select (fieldcrm.current_org_id(), fieldcrm.current_profile_id(), 'inbound')::text), 'org, author and direction are filled in');
with i as (insert into customer_interactions (customer_id, type, channel, note)
  select customer_id, 'Initial Call', 'phone', 'Wants a quote' from sample order by org_id limit 1 returning id)
insert into made select id from i;
select results_eq($$select i.org_id, i.body, i.type, i.direction::text, i.created_by_user_id from crm_interactions i join made using (id)$$,
  $$select fieldcrm.current_org_id(), 'Wants a quote', 'Initial Call', null::text, fieldcrm.current_profile_id()$$,
  'what is logged through the view is an interaction of the caller''s org');
select results_eq($$select v.note, v.created_at from customer_interactions v join made using (id)$$,
  $$select i.body, i.created_at from crm_interactions i join made using (id)$$, 'and the view shows it under its older names');
select throws_ok($$insert into crm_interactions (customer_id, channel, created_by_user_id)
  select customer_id, 'note', (select id from profiles where email = 'sales@northwind.example') from sample order by org_id limit 1$$,
  '42501', null, 'nobody logs in the name of another');
select throws_ok($$insert into crm_interactions (customer_id, channel, created_by_user_id)
  select customer_id, 'note', null from sample order by org_id limit 1$$, '42501', null, 'nor in nobody''s');
select throws_ok($$insert into crm_interactions (org_id, customer_id, channel)
  select fieldcrm.current_org_id(), customer_id, 'note' from sample order by org_id desc limit 1$$, '23503', null,
  'a customer of another org is none');
reset role;
select results_eq($$
  with i as (insert into crm_interactions (org_id, customer_id, channel)
    select s.org_id, s.customer_id, c::interaction_channel from (select * from sample order by org_id limit 1) s,
      unnest(enum_range(null::interaction_channel)) c returning channel, direction)
  select channel::text from i where direction::text is distinct from substring(channel::text from '(inbound|outbound)$')
$$, $$select null::text where false$$, 'the direction is the suffix of the channel');
select is((select direction::text from (select 1) x, lateral (select i.direction from crm_interactions i where i.channel = 'sms_outbound' limit 1) y),
  'outbound', 'outbound for a text message that was sent');

-- A follow-up date makes one follow-up, by whatever door.
select pg_temp.act_as('dispatcher@northwind.example');
truncate made;
with i as (insert into crm_interactions (customer_id, channel, subject, follow_up_date)
  select s.customer_id, 'note', x, now() + interval '1 day' from (select * from sample order by org_id limit 1) s,
    unnest(array['One', 'Two']) x returning id)
insert into made select id from i;
with i as (insert into customer_interactions (customer_id, channel, type, note, follow_up_date)
  select customer_id, 'meeting', 'Visit', 'x', now() + interval '1 day' from sample order by org_id limit 1 returning id)
insert into made select id from i;
select results_eq($$select f.title from crm_followups f join made m on m.id = f.related_interaction_id order by 1$$,
  $$values ('Follow up: One'), ('Follow up: Two'), ('Follow up: Visit')$$, 'each interaction with a follow-up date made one follow-up');
select is_empty($$
  select f.id from crm_followups f join crm_interactions i on i.id = f.related_interaction_id join made m on m.id = i.id
  where (f.due_at, f.assigned_to_user_id, f.created_by_user_id, f.origin, f.status, f.customer_id)
    is distinct from (i.follow_up_date, i.created_by_user_id, i.created_by_user_id, 'manual', 'pending', i.customer_id)
$$, 'due then, for whoever logged it');
select is((select count(*) from crm_followups f join crm_interactions i on i.id = f.related_interaction_id where i.follow_up_date is null),
  0::bigint, 'and without a date there is none');

-- Immutable, for everybody.
select pg_temp.act_as('owner@northwind.example');
select throws_ok($$update crm_interactions set body = 'x'$$, '42501', null, 'the owner of the org changes no interaction');
select throws_ok($$update crm_interactions set sentiment = 'positive'$$, '42501', null, 'nor its sentiment');
select throws_ok($$delete from crm_interactions$$, '42501', null, 'and deletes none');
select throws_ok($$delete from customer_interactions$$, '42501', null, 'through the view neither');
select pg_temp.act_as_backend('service_role');
select throws_ok($$update crm_interactions set body = 'x'$$, '42501', null, 'the service role changes none');
select throws_ok($$update crm_interactions set occurred_at = now()$$, '42501', null, 'also not when it was');
select lives_ok($$update crm_interactions set sentiment = 'negative' where body = 'sample'$$, 'but says what sentiment it has');
reset role;
select throws_ok($$update crm_interactions set body = 'x'$$, '42501', 'interactions are never changed', 'the owner of the database changes none either');
select throws_ok($$update crm_interactions set channel = 'other'$$, '42501', 'interactions are never changed', 'not the channel');
select throws_ok($$update crm_interactions set created_at = created_at - interval '1 day'$$, '42501', 'interactions are never changed', 'not the time');
select throws_ok($$update crm_interactions set created_by_user_id = (select id from profiles where email = 'sales@northwind.example')$$,
  '42501', 'interactions are never changed', 'not who logged it');
select lives_ok($$delete from auth.users where email = 'dispatcher@northwind.example'$$, 'a login that goes');
select is((select count(*) from crm_interactions i join made m on m.id = i.id where i.created_by_user_id is null), 3::bigint,
  'leaves what it logged');

-- What the table refuses.
select throws_ok($$insert into crm_interactions (org_id, customer_id, channel, metadata) select org_id, customer_id, 'note', '[]' from sample$$,
  '23514', null, 'metadata is an object');
select throws_ok($$insert into crm_interactions (org_id, customer_id, channel, occurred_at) select org_id, customer_id, 'note', 'infinity' from sample$$,
  '23514', null, 'an interaction was at some time');
select throws_ok($$insert into crm_interactions (org_id, customer_id, channel, location_id)
  select s.org_id, s.customer_id, 'note', l.id from sample s
  join customer_locations l on l.org_id = s.org_id and l.customer_id <> s.customer_id limit 1$$, '23503', null,
  'a location is the customer''s own');

delete from customers where id in (select customer_id from sample);
select is((select count(*) from crm_interactions where customer_id in (select customer_id from sample))
  + (select count(*) from crm_followups where customer_id in (select customer_id from sample))
  + (select count(*) from customer_metrics where customer_id in (select customer_id from sample)), 0::bigint,
  'deleting a customer deletes its interactions, follow-ups and figures');

select * from finish();
rollback;
