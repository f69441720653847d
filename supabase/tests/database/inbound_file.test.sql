-- Files that came in with mails: who may read the message reads them, and nobody of another org.
begin;
select plan(7);

create temporary table sample as
select o.id as org_id, gen_random_uuid() as client_id, gen_random_uuid() as project_id, gen_random_uuid() as lead_id,
  (select c.id from customers c where c.org_id = o.id and c.owner_id is null order by c.id limit 1) as customer_id
from orgs o where o.id in ('11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222');
insert into clients (id, org_id, name, created_by_user_id) select client_id, org_id, 'Agency', null from sample;
insert into projects (id, org_id, client_id, name, created_by_user_id) select project_id, org_id, client_id, 'Campaign', null from sample;
-- Of the staff one is a member of the client, and who has no other right is one.
insert into client_members (org_id, client_id, user_id, role, joined_at)
select p.org_id, s.client_id, p.id, 'viewer', now() from sample s join profiles p using (org_id) where p.role in ('dispatcher', 'client_admin');
insert into leads (id, org_id, client_id, project_id, email) select lead_id, org_id, client_id, project_id, 'eve@mail.example' from sample;
insert into messages (org_id, client_id, lead_id, sender_type, content, message_type, direction, metadata)
select org_id, client_id, lead_id, 'lead', 'x', 'email', 'inbound',
  jsonb_build_object('attachments', jsonb_build_array(jsonb_build_object('object_name', org_id || '/inbound/lead/a.pdf'))) from sample;
-- Whoever notes something names no file to read by it.
insert into messages (org_id, client_id, lead_id, sender_type, content, message_type, direction, metadata)
select org_id, client_id, lead_id, 'user', 'x', 'internal', 'outbound',
  jsonb_build_object('attachments', jsonb_build_array(jsonb_build_object('object_name', org_id || '/inbound/kept/a.pdf'))) from sample;
insert into attachments (org_id, customer_id, object_name, file_name)
select org_id, customer_id, org_id || '/inbound/customer/a.pdf', 'a.pdf' from sample;
create temporary table files as
select s.org_id, n.kind, s.org_id || '/inbound/' || n.kind || '/a.pdf' as name
from sample s cross join (values ('lead'), ('customer'), ('kept')) as n (kind);

create temporary table outcome (caller text, caller_org uuid, org_id uuid, kind text, command text, allowed boolean);
do $$
declare
  l record;
  f record;
  statement record;
  n bigint;
begin
  if to_regclass('storage.objects') is null then
    return;
  end if;
  insert into storage.objects (bucket_id, name) select 'attachments', name from files;
  for l in select u.email, p.org_id, p.role from auth.users u join profiles p using (id) where u.email ~ '@(northwind|volt)\.example$' loop
    for f in select * from files loop
      for statement in select * from (values ('select', 'select from storage.objects where name = $1'),
        ('update', 'update storage.objects set metadata = ''{}'' where name = $1'),
        ('insert', 'insert into storage.objects (bucket_id, name) values (''attachments'', $1 || ''x'')'),
        ('delete', 'delete from storage.objects where name = $1')) as v (command, text) loop
        begin
          perform set_config('request.jwt.claims', (select jsonb_build_object('sub', id, 'role', 'authenticated')::text
            from auth.users where email = l.email), true);
          set local role authenticated;
          execute statement.text using f.name;
          get diagnostics n = row_count;
          raise sqlstate 'UNDO1';
        exception
          when sqlstate 'UNDO1' then null;
          when insufficient_privilege then n := 0;
        end;
        insert into outcome values (split_part(l.email, '@', 1), l.org_id, f.org_id, f.kind, statement.command, n > 0);
      end loop;
    end loop;
  end loop;
end $$;
reset role;

create function pg_temp.who(of_kind text, of_command text) returns text language sql stable as $$
  select string_agg(distinct caller, ',' order by caller) from outcome
  where allowed and caller_org = org_id and kind = of_kind and command = of_command
$$;
select case when to_regclass('storage.objects') is null then skip(7) else collect_tap(
  is_empty('select * from outcome where allowed and caller_org <> org_id', 'nobody touches a file of another org'),
  is(pg_temp.who('lead', 'select'), 'admin,client_admin,dispatcher,manager,owner', 'who may read the lead''s message reads its file'),
  is(pg_temp.who('customer', 'select'), (select string_agg(distinct p.role, ',' order by p.role) from profiles p
    join auth.users u using (id) where u.email ~ '@(northwind|volt)\.example$' and p.role not in
    ('technician', 'client_admin', 'portal_customer', 'portal_manager')), 'the staff reads those of customers'),
  is(pg_temp.who('kept', 'select'), 'admin,manager,owner', 'managers read what nobody was found for'),
  is_empty($$select * from outcome where allowed and command in ('insert', 'update')$$, 'what somebody sent is never replaced, nor added to'),
  is(pg_temp.who('lead', 'delete'), 'admin,manager,owner', 'who manages removes those of leads'),
  is((select count(*) from outcome where caller_org = org_id), (select count(distinct (caller, caller_org)) from outcome) * 3 * 4,
    'everybody was asked')) end;
select * from finish();
rollback;
