-- Tenancy: who sees and changes which orgs, profiles, invitations and idempotency keys.
begin;
select plan(24);

create function pg_temp.act_as(login text) returns void language plpgsql as $$
begin
  reset role;
  perform set_config('request.jwt.claims', (select jsonb_build_object('sub', id, 'role', 'authenticated')::text
    from auth.users where email = login), true);
  set local role authenticated;
end $$;
grant execute on function pg_temp.act_as(text) to authenticated;

insert into org_invites (org_id, email, role, token_hash, expires_at)
select id, 'hire@example.com', 'csr', sha256(id::text::bytea), now() + interval '1 day' from orgs
where id in ('11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222');
insert into fieldcrm.idempotency_keys (org_id, user_id, key, operation, fingerprint)
select p.org_id, p.id, 'key', 'test', 'print' from profiles p;

-- Every role of both orgs at once: what each sees of the other org, and of its own.
create temporary table seen (login text, own_orgs bigint, foreign_orgs bigint, foreign_profiles bigint,
  foreign_invites bigint, foreign_keys bigint, own_profiles bigint, invites bigint, own_keys bigint);
grant all on seen to authenticated;
do $$
declare
  l record;
begin
  for l in select u.email, p.org_id, p.id, p.role from auth.users u join profiles p using (id)
    where u.email ~ '@(northwind|volt)\.example$' loop
    perform pg_temp.act_as(l.email);
    insert into seen select l.email,
      (select count(*) from orgs where id = l.org_id), (select count(*) from orgs where id <> l.org_id),
      (select count(*) from profiles where org_id <> l.org_id),
      (select count(id) from org_invites where org_id <> l.org_id),
      (select count(*) from fieldcrm.idempotency_keys where org_id <> l.org_id or user_id <> l.id),
      (select count(*) from profiles), (select count(id) from org_invites), (select count(*) from fieldcrm.idempotency_keys);
  end loop;
  reset role;
end $$;
select is((select count(*) from seen), 24::bigint, 'every role of both orgs was asked');
select is_empty($$select login from seen where own_orgs <> 1$$, 'everybody sees their own org');
select is_empty($$select login from seen where foreign_orgs + foreign_profiles + foreign_invites > 0$$,
  'nobody sees anything of the other org');
select is_empty($$select login from seen where foreign_keys > 0 or own_keys <> 1$$, 'everybody sees their own idempotency keys only');
select results_eq($$select split_part(login, '@', 1) from seen where invites > 0 group by 1 order by 1$$,
  $$values ('admin'), ('owner')$$, 'only managers of members see invitations');
select results_eq($$select split_part(login, '@', 1) from seen where own_profiles = 1 group by 1 order by 1$$,
  $$values ('client_admin'), ('portal_customer'), ('portal_manager'), ('technician')$$,
  'who has no use for colleagues sees only themselves');
select is_empty($$select login from seen where own_profiles not in (1, 10)$$, 'staff see colleagues and no portal users');

select pg_temp.act_as('csr@northwind.example');
select lives_ok($$update profiles set full_name = 'Clara W.' where id = fieldcrm.current_profile_id()$$, 'a member renames themselves');
with u as (update profiles set full_name = 'x' where id <> fieldcrm.current_profile_id() returning 1) select is((select count(*) from u), 0::bigint, 'but not a colleague');
select throws_ok($$update profiles set role = 'owner'$$, '42501', null, 'a role is not theirs to set');
select throws_ok($$update profiles set org_id = '22222222-2222-4222-8222-222222222222'$$, '42501', null, 'nor an org');
select throws_ok($$insert into profiles (id, org_id, role) values (gen_random_uuid(), fieldcrm.current_org_id(), 'owner')$$, '42501', null,
  'profiles are not theirs to add');
select throws_ok($$select token_hash from org_invites$$, '42501', null, 'the hash of a token is nobody''s to read');
with u as (update orgs set name = 'x' returning 1) select is((select count(*) from u), 0::bigint, 'a csr does not rename the org');
select throws_ok($$insert into orgs (name) values ('x')$$, '42501', null, 'orgs are not inserted by hand');

select pg_temp.act_as('manager@northwind.example');
with u as (update orgs set name = 'Northwind' returning id) select is((select array_agg(id) from u), array['11111111-1111-4111-8111-111111111111'::uuid], 'a manager renames their own org, and only that');
select throws_ok($$update orgs set time_zone = 'Mars/Olympus'$$, '22023', null, 'to a time zone that exists');

select pg_temp.act_as('portal_customer@northwind.example');
with u as (update profiles set full_name = 'x', phone = 'x' returning 1) select is((select count(*) from u), 0::bigint, 'the owner of a portal account changes their name by the RPC only');
select throws_ok('select dedupe_key from portal_messages', '42501', null, 'and does not read how their messages are told apart');
select throws_ok('select crm_interaction_id from portal_messages', '42501', null, 'nor what of ours they became');
select lives_ok('select id, body from portal_messages', 'but what they say');

reset role;
set local role anon;
select throws_ok('select * from orgs', '42501', null, 'anonymous callers see no table');
select throws_ok('select crm_session()', '42501', null, 'and run no RPC');
reset role;
update customers set owner_id = (select id from profiles where email = 'csr@northwind.example')
where id = (select id from customers where org_id = '11111111-1111-4111-8111-111111111111' limit 1);
select throws_ok($$update profiles set org_id = '22222222-2222-4222-8222-222222222222' where email = 'csr@northwind.example'$$,
  '23503', null, 'a profile that owns customers cannot move to another org');

select * from finish();
rollback;
