-- Erasure and the trail it leaves: nobody gets past the RPC by hand on the tables.
begin;
select plan(12);

create function pg_temp.act_as(login text) returns void language plpgsql as $$
begin
  reset role;
  perform set_config('request.jwt.claims', (select jsonb_build_object('sub', id, 'role', 'authenticated')::text
    from auth.users where email = login), true);
  set local role authenticated;
end $$;
grant execute on function pg_temp.act_as(text) to authenticated;

insert into customers (id, org_id, type, name) values
  ('99999999-9999-4999-8999-999999999999', '11111111-1111-4111-8111-111111111111', 'individual', 'Somebody');
insert into crm_interactions (org_id, customer_id, channel, body) values
  ('11111111-1111-4111-8111-111111111111', '99999999-9999-4999-8999-999999999999', 'note', 'said something');

select pg_temp.act_as('owner@northwind.example');
select throws_ok($$update customers set erased_at = now() where id = '99999999-9999-4999-8999-999999999999'$$,
  '42501', null, 'a client does not declare a customer erased');
select throws_ok($$update customers set merged_into_id = id where id = '99999999-9999-4999-8999-999999999999'$$,
  '42501', null, 'a client does not declare a customer merged');
select throws_ok($$update audit_log set old_values = null, new_values = null$$, '42501', null,
  'a client does not empty the audit trail');
select throws_ok($$delete from crm_access_log$$, '42501', null, 'a client does not delete from the access log');
select throws_ok($$update crm_interactions set body = null$$, '42501', null, 'a client does not empty interactions');
select throws_ok($$select 1 from fieldcrm.customer_search$$, '42501', null, 'a client does not read the search text');

reset role;
-- The owner of the tables, as whom the erasure runs, may empty values but not change or remove the skeleton.
select lives_ok($$update audit_log set old_values = null, new_values = null
  where customer_id = '99999999-9999-4999-8999-999999999999'$$, 'an erasure empties the values of the trail');
select throws_ok($$update audit_log set user_id = gen_random_uuid(), old_values = null, new_values = null
  where customer_id = '99999999-9999-4999-8999-999999999999'$$, '42501', null,
  'who did it stays');
select throws_ok($$delete from audit_log where customer_id = '99999999-9999-4999-8999-999999999999'$$, '42501', null,
  'that it was done stays');
select lives_ok($$update crm_interactions set body = null where customer_id = '99999999-9999-4999-8999-999999999999'$$,
  'an erasure empties interactions');
select throws_ok($$update crm_interactions set body = 'said nothing'
  where customer_id = '99999999-9999-4999-8999-999999999999'$$, '42501', null, 'nobody rewrites interactions');

select is_empty($$
  select format('%I.%I', n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'public' and c.relname in ('audit_log', 'crm_access_log') and (
    has_table_privilege('authenticated', c.oid, 'update') or has_table_privilege('authenticated', c.oid, 'delete')
    or has_table_privilege('service_role', c.oid, 'update') or has_table_privilege('service_role', c.oid, 'delete'))
$$, 'neither clients nor the service role may change or delete a trail');

select * from finish();
rollback;
