-- Customers and their children, by hand on the tables. Which role may do what at all is in wall.test.sql.
begin;
select plan(21);

create function pg_temp.act_as(login text) returns void language plpgsql as $$
begin
  reset role;
  perform set_config('request.jwt.claims', (select jsonb_build_object('sub', id, 'role', 'authenticated')::text
    from auth.users where email = login), true);
  set local role authenticated;
end $$;
grant execute on function pg_temp.act_as(text) to authenticated;

create temporary table sample as
select o.id as org_id, c.id as customer_id, t.id as tag_id
from orgs o,
  lateral (select c.id from customers c where c.org_id = o.id and c.owner_id is null order by c.id limit 1) c,
  lateral (select t.id from crm_tags t where t.org_id = o.id order by t.id limit 1) t
where o.id in ('11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222');
grant all on sample to authenticated;

-- A member: their own customers, and what belongs to them.
update customers set owner_id = (select id from profiles where email = 'member@northwind.example')
where id = (select customer_id from sample where org_id = '11111111-1111-4111-8111-111111111111');
select pg_temp.act_as('member@northwind.example');
with u as (update customers set notes = 'mine' returning 1) select is((select count(*) from u), 1::bigint, 'a member changes the customer they own, and no other');
with u as (update customer_contacts set notes = 'mine' returning 1) select is((select count(*) from u), 2::bigint, 'and its contacts');
select throws_ok($$update customers set owner_id = null$$, '42501', null, 'and does not give it away');
select throws_ok($$insert into customers (org_id, type, name) values (fieldcrm.current_org_id(), 'company', 'x')$$, '42501', null, 'a new one must be theirs');
select lives_ok($$insert into customers (org_id, type, name, owner_id) values (fieldcrm.current_org_id(), 'company', 'x', fieldcrm.current_profile_id())$$, 'and then may be added');

select pg_temp.act_as('csr@northwind.example');
select throws_ok($$update customers set org_id = '22222222-2222-4222-8222-222222222222'$$, '42501', null, 'no row moves to another org');
select throws_ok($$insert into customer_contacts (org_id, customer_id, type, value)
  select '11111111-1111-4111-8111-111111111111', customer_id, 'portal', 'x' from sample where org_id = '22222222-2222-4222-8222-222222222222'$$,
  '23503', null, 'no child hangs on a customer of another org');
reset role;
select throws_ok($$insert into crm_customer_tags (org_id, customer_id, tag_id)
  select a.org_id, a.customer_id, b.tag_id from sample a, sample b where a.org_id < b.org_id$$, '23503', null,
  'nor does a tag, for the superuser either');
select throws_ok($$update customers c set primary_contact_id = x.id from customer_contacts x
  where x.org_id = c.org_id and x.customer_id <> c.id and c.org_id = '11111111-1111-4111-8111-111111111111'$$, '23503', null,
  'a primary contact is the customer''s own');
select throws_ok($$insert into customers (org_id, type, name) values ('11111111-1111-4111-8111-111111111111', 'company', ' ')$$, '23514', null, 'a name is not blank');
select throws_ok($$insert into customers (org_id, type, name, phone) values ('11111111-1111-4111-8111-111111111111', 'company', 'x', '555')$$, '23514', null, 'a phone is E.164');
select throws_ok($$insert into customers (org_id, type, name, email) values ('11111111-1111-4111-8111-111111111111', 'company', 'x', 'A@b.example')$$, '23514', null, 'an e-mail is in lower case');
select throws_ok($$insert into crm_tags (org_id, name) values ('11111111-1111-4111-8111-111111111111', 'vip')$$, '23505', null, 'vip is VIP');
select throws_ok($$update customer_contacts set is_primary = true$$, '23505', null, 'a customer has one primary contact');

create temporary table gone as select id from customers c where org_id = '11111111-1111-4111-8111-111111111111'
  and not exists (select from portal_accounts a where a.org_id = c.org_id and a.customer_id = c.id) limit 1;
delete from customers where id in (select id from gone);
select is((select count(*) from customer_contacts where customer_id in (select id from gone))
  + (select count(*) from customer_locations where customer_id in (select id from gone))
  + (select count(*) from crm_preferences where customer_id in (select id from gone))
  + (select count(*) from crm_customer_tags where customer_id in (select id from gone)), 0::bigint,
  'deleting a customer deletes what belongs to it');
delete from auth.users where email = 'member@northwind.example';
select is_empty($$select id from customers where owner_id is not null and org_id = '11111111-1111-4111-8111-111111111111'$$,
  'a customer stays when its owner''s login goes');

select is_empty($$select c.table_name || '.' || c.column_name
  from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
  where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.data_type = 'text'
    and (c.table_name in ('customers', 'customer_locations', 'customer_contacts', 'crm_preferences', 'crm_tags'))
    and c.is_generated = 'NEVER' and not exists (
      select from pg_constraint k where k.conrelid = format('public.%I', c.table_name)::regclass and k.contype = 'c'
        and pg_get_constraintdef(k.oid) ~ ('\m' || c.column_name || '\M'))$$, 'no text column is without a limit');
select throws_ok($$insert into customers (org_id, type, name, external_ref) values
  ('11111111-1111-4111-8111-111111111111', 'company', 'x', repeat('x', 201))$$, '23514', null,
  'an external_ref has a limit');
select is_empty($$select conname from pg_constraint where not convalidated and connamespace = 'public'::regnamespace$$,
  'every constraint is validated');

-- Whatever code Postgres has for it.
create table public.keeps_no_action (org_id uuid, customer_id uuid, foreign key (org_id, customer_id) references customers (org_id, id));
create table public.keeps_restrict (org_id uuid, customer_id uuid, foreign key (org_id, customer_id) references customers (org_id, id) on delete restrict);
insert into keeps_no_action select org_id, id from customers where name = 'x' and org_id = '11111111-1111-4111-8111-111111111111' limit 1;
insert into customers (org_id, type, name) values ('11111111-1111-4111-8111-111111111111', 'company', 'kept');
insert into keeps_restrict select org_id, id from customers where name = 'kept';
create temporary table kept as select 'no action' as rule, * from keeps_no_action union all select 'restrict', * from keeps_restrict;
grant select on kept to authenticated;
select pg_temp.act_as('owner@northwind.example');
select throws_ok(format('select crm_delete_customer(id => %L)', customer_id), 'PT409', null, 'a customer is kept by what is on delete ' || rule) from kept order by rule;

select * from finish();
rollback;
