-- Work orders, quotes and invoices, by hand on the tables.
begin;
select plan(51);

create function pg_temp.act_as(login text) returns void language plpgsql as $$
begin
  reset role;
  perform set_config('request.jwt.claims', (select jsonb_build_object('sub', id, 'role', 'authenticated')::text
    from auth.users where email = login), true);
  set local role authenticated;
end $$;
grant execute on function pg_temp.act_as(text) to authenticated;
create function pg_temp.login(text) returns uuid language sql security definer set search_path = '' as
  $$select id from auth.users where email = $1$$;
grant execute on function pg_temp.login(text) to authenticated;

-- A customer of each org with a location, and one of everything of theirs.
create temporary table sample as
select o.id as org_id, c.id as customer_id, l.id as location_id, other.id as other_id, other.location_id as other_location_id,
  gen_random_uuid() as work_order_id, gen_random_uuid() as quote_id, gen_random_uuid() as invoice_id,
  gen_random_uuid() as attachment_id, gen_random_uuid() as document_id
from orgs o,
  lateral (select id from customers where org_id = o.id order by id limit 1) c,
  lateral (select id from customer_locations where customer_id = c.id limit 1) l,
  lateral (select x.id, y.id as location_id from customers x join customer_locations y on y.customer_id = x.id
    where x.org_id = o.id and x.id <> c.id order by x.id limit 1) other
where o.id in ('11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222');
grant select on sample to authenticated;
create function pg_temp.ours() returns sample language sql stable as
  $$select * from sample where org_id = '11111111-1111-4111-8111-111111111111'$$;
create function pg_temp.theirs() returns sample language sql stable as
  $$select * from sample where org_id = '22222222-2222-4222-8222-222222222222'$$;
grant execute on function pg_temp.ours(), pg_temp.theirs() to authenticated;
insert into work_orders (id, org_id, customer_id, location_id, title, technician_id)
select work_order_id, org_id, customer_id, location_id, 'Sample',
  pg_temp.login('technician@' || case when org_id::text like '1%' then 'northwind' else 'volt' end || '.example') from sample;
insert into quotes (id, org_id, customer_id, number) select quote_id, org_id, customer_id, 'T-Q-1' from sample;
insert into invoices (id, org_id, customer_id, number) select invoice_id, org_id, customer_id, 'T-I-1' from sample;
insert into attachments (id, org_id, customer_id, object_name, file_name)
select attachment_id, org_id, customer_id, org_id || '/' || customer_id || '/sample.txt', 'sample.txt' from sample;
insert into documents (id, org_id, customer_id, type, title) select document_id, org_id, customer_id, 'other', 'Sample' from sample;

-- Each role of both orgs tries every command on each table.
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
      for statement in
        select t.tab, c.command, format(c.text, t.tab, t.columns, t.literals) as text, t.id_column from (values
          ('work_orders', ', title', ', ''x''', 'work_order_id'),
          ('quotes', ', number', ', gen_random_uuid()::text', 'quote_id'),
          ('invoices', ', number', ', gen_random_uuid()::text', 'invoice_id'),
          ('work_order_events', '', '', 'work_order_id')) t (tab, columns, literals, id_column), (values
          ('select', 'select from %I where org_id = $1'),
          ('insert', 'insert into %I (org_id, customer_id %s) values ($1, $2 %s)'),
          ('update', 'update %I set org_id = org_id where org_id = $1'),
          ('delete', 'delete from %I where org_id = $1')) c (command, text)
      loop
        begin
          perform pg_temp.act_as(l.email);
          execute replace(statement.text, 'set org_id = org_id', case statement.tab
            when 'work_orders' then 'set internal_notes = ''x''' when 'work_order_events' then 'set new_values = null'
            else 'set notes = ''x''' end) using s.org_id, s.customer_id;
          get diagnostics n = row_count;
          raise exception using errcode = 'UNDO1';
        exception
          when sqlstate 'UNDO1' then null;
          when insufficient_privilege or undefined_column then n := 0;
        end;
        insert into outcome values (l.role, statement.tab, statement.command, s.org_id = l.org_id, n);
      end loop;
    end loop;
  end loop;
  reset role;
end $$;
select is((select count(*) from outcome), (select count(*) * 2 * 16 from auth.users u join profiles p using (id)
  where u.email ~ '@(northwind|volt)\.example$'), 'every role of both orgs tried every command on every table of both orgs');
select is_empty($$select * from outcome where not own and rows > 0$$, 'nobody reads or writes a row of the other org');
create temporary table allowed (tables text, command text, roles text[]);
insert into allowed values
  ('.*', 'select', array['admin', 'csr', 'dispatcher', 'manager', 'member', 'owner', 'sales', 'viewer']),
  ('work_orders', 'insert', array['admin', 'csr', 'dispatcher', 'manager', 'owner']),
  ('work_orders', 'update', array['admin', 'csr', 'dispatcher', 'manager', 'owner']),
  ('(quotes|invoices)', 'insert', array['admin', 'csr', 'manager', 'owner', 'sales']),
  ('(quotes|invoices)', 'update', array['admin', 'csr', 'manager', 'owner', 'sales']),
  ('(work_orders|quotes|invoices)', 'delete', array['admin', 'owner']),
  ('work_order_events', '(insert|update|delete)', array[]::text[]);
select is_empty(format($$select o.role, o.tab, o.command, o.rows from outcome o
  where o.own and o.tab ~ '^%s$' and o.command ~ '^%s$' and (o.rows > 0) <> (o.role = any (%L::text[]))$$, tables, command, roles),
  format('%s on %s: %s', command, tables, coalesce(nullif(array_to_string(roles, ', '), ''), 'nobody')))
from allowed;

-- Technicians and portal users have their own doors.
create temporary table seen (role text, tab text, rows bigint);
grant all on seen to authenticated;
do $$
declare
  r text;
  tab text;
  n bigint;
begin
  foreach r in array array['technician', 'client_admin', 'portal_customer', 'portal_manager'] loop
    perform pg_temp.act_as(r || '@northwind.example');
    foreach tab in array array['work_orders', 'work_order_events', 'quotes', 'invoices', 'documents', 'attachments', 'customers'] loop
      execute format('select count(*) from %I', tab) into n;
      insert into seen values (r, tab, n);
    end loop;
  end loop;
  reset role;
end $$;
select is((select count(*) from seen), 28::bigint, 'technicians, client admins and portal users looked at every table');
select is_empty('select * from seen where rows > 0', 'and see no row, not even those of their own visits');

-- One technician, one place at a time.
select pg_temp.act_as('csr@northwind.example');
prepare book (text, text, text) as insert into work_orders (customer_id, technician_id, title, status, window_start, window_end)
  select customer_id, pg_temp.login('technician@northwind.example'), 'Booked', $3, $1::timestamptz, $2::timestamptz from pg_temp.ours();
select lives_ok($$execute book('2040-03-01 08:00Z', '2040-03-01 10:00Z', 'scheduled')$$, 'a visit is booked; the org is the caller''s');
select throws_ok($$execute book('2040-03-01 09:00Z', '2040-03-01 11:00Z', 'scheduled')$$, '23P01', null, 'another one that overlaps is refused');
select throws_ok($$execute book('2040-03-01 08:30Z', '2040-03-01 09:00Z', 'on_site')$$, '23P01', null, 'also inside of it, also on site');
select lives_ok($$execute book('2040-03-01 10:00Z', '2040-03-01 12:00Z', 'en_route')$$, 'one that begins when the other ends is not');
select lives_ok($$execute book('2040-03-01 06:00Z', '2040-03-01 08:00Z', 'scheduled')$$, 'nor one that ends when it begins');
select lives_ok($$execute book('2040-03-01 08:00Z', '2040-03-01 10:00Z', 'canceled')$$, 'a canceled visit takes no time');
select lives_ok($$execute book('2040-03-01 08:00Z', '2040-03-01 10:00Z', 'completed')$$, 'nor a completed one');
select throws_ok($$update work_orders set status = 'scheduled' where title = 'Booked' and status = 'canceled'$$, '23P01', null,
  'until it is scheduled again');
select throws_ok($$update work_orders set window_start = '2040-03-01 09:30Z' where title = 'Booked' and window_start = '2040-03-01 10:00Z'$$,
  '23P01', null, 'moving a visit is checked as well');
select lives_ok($$insert into work_orders (customer_id, title, window_start, window_end)
  select customer_id, 'Nobody''s', '2040-03-01 08:00Z', '2040-03-01 10:00Z' from pg_temp.ours()$$, 'a visit without a technician takes nobody''s time');
select throws_ok($$update work_orders set technician_id = pg_temp.login('technician@northwind.example') where title = 'Nobody''s'$$,
  '23P01', null, 'until there is one');
reset role;
select throws_ok($$insert into work_orders (org_id, customer_id, technician_id, title, window_start, window_end)
  select org_id, customer_id, pg_temp.login('technician@northwind.example'), 'DBA', '2040-03-01 08:00Z', '2040-03-01 10:00Z' from pg_temp.ours()$$,
  '23P01', null, 'for the superuser too');

-- What happens to a work order is written down by the database.
select pg_temp.act_as('dispatcher@northwind.example');
insert into work_orders (id, customer_id, title) select 'c0000000-0000-4000-8000-000000000001', customer_id, 'Told' from pg_temp.ours();
update work_orders set status = 'en_route', eta = '2040-04-01 09:00Z' where title = 'Told';
update work_orders set window_start = '2040-04-01 08:00Z', window_end = '2040-04-01 10:00Z',
  technician_id = pg_temp.login('manager@northwind.example') where title = 'Told';
update work_orders set internal_notes = 'No event' where title = 'Told';
select results_eq($$select type, old_values, new_values - 'window_end' from work_order_events
  where work_order_id = 'c0000000-0000-4000-8000-000000000001' order by type$$, $$values
  ('created', null::jsonb, '{"status": "scheduled", "window_start": null, "technician_id": null}'::jsonb),
  ('eta', '{"eta": null}', '{"eta": "2040-04-01T09:00:00+00:00"}'),
  ('schedule', '{"window_start": null, "window_end": null}', '{"window_start": "2040-04-01T08:00:00+00:00"}'),
  ('status', '{"status": "scheduled"}', '{"status": "en_route"}'),
  ('technician', '{"technician_id": null}', jsonb_build_object('technician_id', pg_temp.login('manager@northwind.example')))$$,
  'creation, status, schedule, technician and ETA, each with what was and what is');
select is((select array_agg(distinct created_by_user_id) from work_order_events where work_order_id = 'c0000000-0000-4000-8000-000000000001'),
  array[pg_temp.login('dispatcher@northwind.example')], 'with who did it');
select pg_temp.act_as('owner@northwind.example');
select throws_ok($$insert into work_order_events (org_id, work_order_id, type)
  select org_id, work_order_id, 'status' from pg_temp.ours()$$, '42501', null, 'nobody writes an event by hand');
select throws_ok($$update work_order_events set new_values = null$$, '42501', null, 'nor changes one');
select throws_ok($$delete from work_order_events$$, '42501', null, 'nor removes one');
select lives_ok($$delete from work_orders where title = 'Told'$$, 'events go with their work order');

-- Notes for the customer and notes for the office are two columns.
select pg_temp.act_as('csr@northwind.example');
select lives_ok($$insert into work_orders (customer_id, title, customer_notes, internal_notes)
  select customer_id, 'Noted', 'Ring twice', 'Pays late' from pg_temp.ours()$$, 'both kinds of notes are kept');
select results_eq($$select customer_notes, internal_notes from work_orders where title = 'Noted'$$, $$values ('Ring twice', 'Pays late')$$,
  'each in its place');

-- What belongs together.
select throws_ok($$insert into work_orders (customer_id, location_id, title) select customer_id, other_location_id, 'x' from pg_temp.ours()$$,
  '23503', null, 'a visit is at a location of its customer');
select throws_ok($$insert into work_orders (customer_id, title) select customer_id, 'x' from pg_temp.theirs()$$, '23503', null,
  'not for a customer of another org');
select throws_ok($$insert into work_orders (customer_id, title, technician_id)
  select customer_id, 'x', pg_temp.login('technician@volt.example') from pg_temp.ours()$$, '23503', null, 'nor by its technician');
select throws_ok($$insert into quotes (customer_id, work_order_id, number) select other_id, work_order_id, 'T-Q-2' from pg_temp.ours()$$,
  '23503', null, 'a quote is for a work order of its customer');
select throws_ok($$insert into invoices (customer_id, quote_id, number) select a.customer_id, b.quote_id, 'T-I-2' from pg_temp.ours() a, pg_temp.theirs() b$$,
  '23503', null, 'an invoice comes of a quote of its org');
select throws_ok($$update work_orders set org_id = '22222222-2222-4222-8222-222222222222'$$, '42501', null, 'no work order moves to another org');

-- Values.
select throws_ok($$insert into work_orders (customer_id, title, window_start, window_end) select customer_id, 'x', now(), now() from pg_temp.ours()$$,
  '23514', null, 'a window is not empty');
select throws_ok($$insert into work_orders (customer_id, title, window_start) select customer_id, 'x', now() from pg_temp.ours()$$,
  '23514', null, 'nor open');
select throws_ok($$insert into work_orders (customer_id, title, window_start, window_end)
  select customer_id, 'x', now(), now() + interval '32 days' from pg_temp.ours()$$, '23514', null, 'nor longer than a month');
select throws_ok($$insert into work_orders (customer_id, title, status) select customer_id, 'x', 'cancelled' from pg_temp.ours()$$,
  '23514', null, 'a status has one spelling');
select throws_ok($$insert into work_orders (customer_id, title) select customer_id, ' ' from pg_temp.ours()$$, '23514', null, 'a title is not blank');
select throws_ok($$insert into quotes (customer_id, number, total) select customer_id, 'T-Q-3', -1 from pg_temp.ours()$$, '23514', null,
  'a total is not negative');
select throws_ok($$insert into invoices (customer_id, number, amount_paid) select customer_id, 'T-I-3', -0.01 from pg_temp.ours()$$, '23514', null,
  'nor what was paid');
select throws_ok($$insert into quotes (customer_id, number, total) select customer_id, 'T-Q-3', 'NaN' from pg_temp.ours()$$, '23514', null,
  'nor no number');
select throws_ok($$insert into invoices (customer_id, number, amount_paid) select customer_id, 'T-I-3', 'NaN' from pg_temp.ours()$$, '23514', null,
  'on an invoice neither');
select throws_ok($$insert into invoices (customer_id, number, total) select customer_id, 'T-I-3', 10000000000 from pg_temp.ours()$$, '22003', null,
  'nor larger than its column');
select throws_ok($$insert into quotes (customer_id, number) select customer_id, 'T-Q-1' from pg_temp.ours()$$, '23505', null,
  'a number is given once in an org');

-- Who made a row.
select throws_ok($$insert into work_orders (customer_id, title, created_by_user_id)
  select customer_id, 'x', pg_temp.login('owner@northwind.example') from pg_temp.ours()$$, '42501', null, 'nobody makes a work order in the name of another');
select is((select created_by_user_id from work_orders where title = 'Noted'), pg_temp.login('csr@northwind.example'), 'the maker is the caller');
select throws_ok($$update work_orders set created_by_user_id = pg_temp.login('owner@northwind.example') where title = 'Noted'$$, '42501', null,
  'and stays who made it');

select * from finish();
rollback;
