-- Who claims to be more than they are: by their own row, by what the token says, by a setting.

create function pg_temp.as_role(login text, claims jsonb default '{}') returns void language plpgsql as $$
declare
  c wall_callers;
begin
  perform set_config('role', 'none', true);
  select * into strict c from wall_callers where caller = login and org_id = (select min(org_id::text)::uuid from wall_orgs);
  c.claims := (c.claims::jsonb || claims)::text;
  perform pg_temp.become(c);
end $$;
grant select on wall_callers, wall_orgs, wall_samples to public;
create function pg_temp.foreign_org() returns uuid language sql as 'select max(org_id::text)::uuid from wall_orgs';
create function pg_temp.sample(tab text) returns jsonb language sql as
  'select row_data from wall_samples s where s.tab = $1 and org_id = (select min(org_id::text)::uuid from wall_orgs)';

select pg_temp.as_role('csr');
select throws_ok(format('update public.profiles set %s', attempt), '42501', null, 'nobody promotes themselves: ' || attempt)
from (values ('role = ''owner'''), ('status = ''active'''), ('org_id = pg_temp.foreign_org()'), ('id = gen_random_uuid()'), ('email = ''a@b.example''')) as v (attempt);
select throws_ok($$insert into public.profiles (id, org_id, role) select newcomer, org_id, 'owner' from wall_orgs$$, '42501', null, 'nor makes a profile');
select throws_ok($$insert into public.org_invites (org_id, email, role, token_hash, expires_at)
  select org_id, 'me@example.com', 'owner', sha256('known'), now() + interval '1 day' from wall_orgs$$, '42501', null, 'nor an invitation with a token they know');

-- The same for the most powerful: what the database keeps is not a client's to write.
select pg_temp.as_role('owner');
select throws_ok($$update public.profiles set role = 'admin'$$, '42501', null, 'an owner, too, changes roles through the RPC only');
select throws_ok($$update public.orgs set id = gen_random_uuid()$$, '42501', null, 'an org keeps its id');
select throws_ok(format('%s', attempt), '42501', null, attempt)
from (values ($$insert into public.audit_log (org_id, table_name, record_id, action) select org_id, 'customers', bare, 'insert' from wall_orgs$$),
  ('update public.audit_log set new_values = null'), ('delete from public.audit_log'),
  ('update public.crm_access_log set operation = null'), ('delete from public.crm_access_log'),
  ($$insert into public.crm_access_log (org_id, customer_id, operation, user_id) select org_id, bare, 'x', md5('csr@' || domain)::uuid from wall_orgs$$),
  ($$insert into public.crm_access_log (org_id, customer_id, operation, created_at) select org_id, bare, 'x', now() from wall_orgs$$),
  ('update public.customer_metrics set total_spend = 0'), ('delete from public.customer_metrics'),
  ('insert into public.customer_metrics (customer_id, org_id) select bare, org_id from wall_orgs'),
  ('update public.work_order_events set type = ''eta'''), ('delete from public.work_order_events'),
  ($$insert into public.work_order_events (org_id, work_order_id, type) select org_id, bare, 'eta' from wall_orgs$$),
  ('update public.customers set erased_at = now()'), ('update public.customers set merged_into_id = null'), ('update public.customers set archived_at = null'),
  ('update public.crm_interactions set sentiment = null'), ('update public.crm_followups set created_by_user_id = null'),
  ('truncate public.customers'), ('select * from fieldcrm.customer_search')) as v (attempt);

-- A trigger function that runs as its owner would write whatever a table of the client's own feeds it.
select is_empty($$select p.oid::regprocedure from pg_proc p
  where p.pronamespace in ('public'::regnamespace, 'fieldcrm'::regnamespace) and p.prosecdef and p.prorettype = 'trigger'::regtype
    and (has_function_privilege('authenticated', p.oid, 'execute') or has_function_privilege('anon', p.oid, 'execute'))$$,
  'no client hangs a trigger function of the owner on a table of their own');

-- Claims are no rights.
select pg_temp.as_role('csr', '{"role": "service_role"}');
select is((select count(distinct org_id) from public.customers), 1::bigint, 'a token that says service_role still sees one org');
select is_empty('select id from public.audit_log', 'and no audit trail');
select is(fieldcrm.session() ->> 'service', 'false', 'and is no service');
select pg_temp.as_role('csr', jsonb_build_object('org_id', pg_temp.foreign_org(), 'app_metadata', jsonb_build_object('org_id', pg_temp.foreign_org(), 'role', 'owner'),
  'user_metadata', jsonb_build_object('role', 'owner'), 'user_role', 'owner'));
select is(fieldcrm.session() ->> 'role', 'csr', 'what the token says of roles is not read');
select isnt(fieldcrm.current_org_id(), pg_temp.foreign_org(), 'nor of orgs');
select pg_temp.as_role('csr');
select set_config('app.current_org_id', pg_temp.foreign_org()::text, true) \gset
select isnt(fieldcrm.current_org_id(), pg_temp.foreign_org(), 'a signed-in user sets app.current_org_id in vain');
select is_empty('select id from public.customers where org_id = pg_temp.foreign_org()', 'and sees nothing more');
select pg_temp.as_role('viewer', '{"sub": "not a uuid"}');
select is_empty('select id from public.customers', 'a token whose subject is no uuid is nobody''s');
select unnest(array[lives_ok(format('select pg_temp.as_role(''viewer'', %L)', jsonb_build_object('sub', sub)), sub || ' is read'),
  is(fieldcrm.session() ->> 'user_id', null, 'as nobody''s')])
from (values ('{11111111-1111-4111-8111-111111111111}'), ('111111111-111-4111-8111-111111111111'), ('1111111-11111-4111-8111-111111111111'),
  ('11111111111141118111111111111111'), ('1111-1111-1111-1111-11111111111111111'), ('11111111-1111-4111-8111-11111111111g'),
  ('--------------------1111111111111111'), ('11111111-1111-4111-8111-11111111111'), ('11111111-1111-4111-8111-111111111111 '), ('')) as v (sub);
select pg_temp.as_role('viewer', jsonb_build_object('sub', upper(md5('viewer@northwind.example')::uuid::text)));
select isnt_empty('select id from public.customers', 'capitals are the same uuid');
select set_config('request.jwt.claims', '', true) \gset
select is_empty('select id from public.customers', 'no token is nobody''s');
reset role;
