-- Clients, projects, leads and what was said, by hand on the tables: what each role in a client may do there.
begin;
select * from no_plan();

create function pg_temp.act_as(login text) returns void language plpgsql as $$
begin
  reset role;
  perform set_config('request.jwt.claims', (select jsonb_build_object('sub', id, 'role', 'authenticated')::text
    from auth.users where email = login || '@northwind.example'), true);
  set local role authenticated;
end $$;
create function pg_temp.login(text) returns uuid language sql security definer set search_path = '' as
  $$select id from auth.users where email = $1 || '@northwind.example'$$;
grant execute on function pg_temp.login(text) to authenticated;

-- A client of Northwind: csr is its admin, sales a member, viewer a viewer; dispatcher is none of it, a portal user is on the
-- list by mistake. And a neighbour that only sales is in.
create temporary table sample as
select md5('test client')::uuid as client_id, md5('test project')::uuid as project_id, md5('test lead')::uuid as lead_id,
  md5('test conversation')::uuid as conversation_id, md5('test message')::uuid as message_id, md5('test report')::uuid as report_id,
  md5('test neighbour')::uuid as neighbour_id, '11111111-1111-4111-8111-111111111111'::uuid as org_id;
grant select on sample to authenticated;
insert into clients (id, org_id, name, created_by_user_id)
select v.id, s.org_id, v.name, null from sample s, lateral (values (s.client_id, 'Test'), (s.neighbour_id, 'Neighbour')) as v (id, name);
insert into client_members (org_id, client_id, user_id, role)
select s.org_id, s.client_id, pg_temp.login(m.login), m.role
from sample s, (values ('csr', 'admin'), ('sales', 'member'), ('viewer', 'viewer'), ('portal_customer', 'admin')) as m (login, role);
insert into client_members (org_id, client_id, user_id, role) select org_id, neighbour_id, pg_temp.login('sales'), 'member' from sample;
insert into projects (id, org_id, client_id, name, created_by_user_id) select project_id, org_id, client_id, 'Test', null from sample;
insert into leads (id, org_id, project_id, first_name, created_by_user_id) select lead_id, org_id, project_id, 'Ada', null from sample;
insert into conversations (id, org_id, lead_id, channel) select conversation_id, org_id, lead_id, 'sms' from sample;
insert into messages (id, org_id, lead_id, conversation_id, sender_type, content, message_type, direction)
select message_id, org_id, lead_id, conversation_id, 'lead', 'Hello', 'sms', 'inbound' from sample;
insert into reports (id, org_id, client_id, project_id, name, type, generated_by)
select report_id, org_id, client_id, project_id, 'Test', 'conversion', null from sample;

select is((select l.client_id from leads l join sample s on s.lead_id = l.id), (select client_id from sample), 'a lead is its project''s client''s');
select is((select m.client_id from messages m join sample s on s.message_id = m.id), (select client_id from sample), 'and so is what it says');
select is((select message_count from conversations c join sample s on s.conversation_id = c.id), 1, 'messages are counted');
select is((select array_agg(distinct metric_name || ' ' || trim_scale(metric_value) order by metric_name || ' ' || trim_scale(metric_value)) from metrics m join sample s on s.project_id = m.entity_id),
  '{"conversion_rate 0","lead_count 1"}', 'the project has figures');
select is((select action from activities a join sample s on s.lead_id = a.entity_id), 'created', 'a lead that is made is an activity');

-- Everybody tries everything.
create temporary table outcome (login text, command text, allowed boolean, state text);
grant all on outcome to authenticated;
do $$
declare
  l text;
  c record;
  s sample;
  n bigint;
  state text;
begin
  select * into s from sample;
  foreach l in array array['owner', 'manager', 'csr', 'sales', 'viewer', 'dispatcher', 'technician', 'portal_customer'] loop
    for c in select * from (values
      ('read clients', 'select from clients where id = $1.client_id'),
      ('change clients', 'update clients set name = name where id = $1.client_id'),
      ('delete clients', 'delete from clients where id = $1.client_id'),
      ('read members', 'select from client_members where client_id = $1.client_id'),
      ('add members', 'insert into client_members (org_id, client_id, user_id) select $1.org_id, $1.client_id, pg_temp.login(''member'')'),
      ('remove members', 'delete from client_members where client_id = $1.client_id'),
      ('read projects', 'select from projects where id = $1.project_id'),
      ('add projects', 'insert into projects (org_id, client_id, name) select $1.org_id, $1.client_id, ''More'''),
      ('change projects', 'update projects set name = name where id = $1.project_id'),
      ('delete projects', 'delete from projects where id = $1.project_id'),
      ('read leads', 'select from leads where id = $1.lead_id'),
      ('add leads', 'insert into leads (org_id, client_id, project_id, first_name) select $1.org_id, $1.client_id, $1.project_id, ''Grace'''),
      ('change leads', 'update leads set status = ''contacted'' where id = $1.lead_id'),
      ('delete leads', 'delete from leads where id = $1.lead_id'),
      ('read conversations', 'select from conversations where id = $1.conversation_id'),
      ('close conversations', 'update conversations set status = ''closed'' where id = $1.conversation_id'),
      ('read messages', 'select from messages where id = $1.message_id'),
      ('note calls', 'insert into messages (org_id, client_id, lead_id, sender_type, sender_id, content, message_type, direction) select $1.org_id, $1.client_id, $1.lead_id, ''user'', fieldcrm.current_profile_id(), ''Called'', ''call_note'', ''outbound'''),
      ('change messages', 'update messages set content = content where id = $1.message_id'),
      ('read reports', 'select from reports where id = $1.report_id'),
      ('delete reports', 'delete from reports where id = $1.report_id'),
      ('read figures', 'select from metrics where entity_id = $1.project_id'),
      ('write figures', 'delete from metrics where entity_id = $1.project_id'),
      ('read activities', 'select from activities where entity_id = $1.lead_id')) as v (name, statement) loop
      state := null;
      begin
        perform pg_temp.act_as(l);
        execute c.statement using s;
        get diagnostics n = row_count;
        raise sqlstate 'UNDO1';
      exception
        when sqlstate 'UNDO1' then null;
        when others then
          n := 0;
          state := sqlstate;
      end;
      insert into outcome values (l, c.name, n > 0, state);
    end loop;
  end loop;
end $$;
reset role;
select is_empty($$select * from outcome where state <> '42501'$$, 'whatever is refused is refused for want of rights');
select is(array(select command from outcome where login = 'viewer' and allowed order by 1),
  array['read activities', 'read clients', 'read conversations', 'read figures', 'read leads', 'read members', 'read messages', 'read projects', 'read reports'],
  'a viewer reads');
select is(array(select command from outcome where login = 'sales' and allowed except select command from outcome where login = 'viewer' and allowed order by 1),
  array['add leads', 'add projects', 'change leads', 'change projects', 'close conversations', 'note calls'], 'a member writes too');
select is(array(select command from outcome where login = 'csr' and allowed except select command from outcome where login = 'sales' and allowed order by 1),
  array['add members', 'change clients', 'delete clients', 'delete leads', 'delete projects', 'delete reports', 'remove members'], 'an admin also deletes, and chooses the members');
select is_empty($$select command from outcome where login in ('owner', 'manager') and allowed except select command from outcome where login = 'csr' and allowed$$,
  'managers of clients do what its admins do');
select is_empty($$select command from outcome where login = 'csr' and allowed except select command from outcome where login = 'manager' and allowed$$, 'all of it');
select is_empty($$select login, command from outcome where allowed and login in ('dispatcher', 'technician', 'portal_customer')$$,
  'who is not in the client, or signs in to the portal, does nothing');

-- What a member may not write, though the row is theirs to write.
select pg_temp.act_as('sales');
select throws_ok($$update leads set customer_id = null where id = (select lead_id from sample)$$, '42501', null, 'the customer of a lead is written by its conversion');
select throws_ok($$update leads set client_id = client_id where id = (select lead_id from sample)$$, '42501', null, 'a lead stays in its client');
select throws_ok($$insert into leads (org_id, client_id, project_id, first_name, created_by_user_id)
  select org_id, client_id, project_id, 'x', pg_temp.login('csr') from sample$$, '42501', null, 'nobody makes leads in the name of others');
select throws_ok($$insert into leads (org_id, client_id, project_id, first_name)
  select org_id, neighbour_id, project_id, 'x' from sample$$, '23503', null, 'a lead of another client''s project there is none');
select throws_ok($$insert into messages (org_id, client_id, lead_id, sender_type, sender_id, content, message_type, direction)
  select org_id, client_id, lead_id, 'user', pg_temp.login('csr'), 'x', 'internal', 'outbound' from sample$$, '42501', null, 'nobody notes in the name of others');
select throws_ok($$insert into messages (org_id, client_id, lead_id, sender_type, sender_id, content, message_type, direction)
  select org_id, client_id, lead_id, 'user', pg_temp.login('sales'), 'x', 'sms', 'outbound' from sample$$, '42501', null, 'what goes out is not written here');
select throws_ok($$insert into messages (org_id, client_id, lead_id, sender_type, content, message_type, direction)
  select org_id, client_id, lead_id, 'lead', 'x', 'internal', 'inbound' from sample$$, '42501', null, 'nor what a lead said');
select throws_ok($$insert into project_members (org_id, client_id, project_id, user_id)
  select org_id, client_id, project_id, pg_temp.login('dispatcher') from sample$$, '42501', null, 'a member does not choose the team');

-- The first way in, and the way out.
select lives_ok($$insert into clients (id, org_id, name) select md5('test own')::uuid, org_id, 'Own' from sample$$, 'who may create clients makes one');
select results_eq($$select role from client_members where client_id = md5('test own')::uuid and user_id = pg_temp.login('sales')$$, array['admin'], 'and is its admin');
select lives_ok($$insert into projects (id, org_id, client_id, name) select md5('test own project')::uuid, org_id, md5('test own')::uuid, 'Own' from sample$$, 'makes a project in it');
select results_eq($$select role from project_members where project_id = md5('test own project')::uuid$$, array['manager'], 'and manages that');
select pg_temp.act_as('viewer');
select throws_ok($$insert into clients (org_id, name) select org_id, 'x' from sample$$, '42501', null, 'a viewer makes none');
select pg_temp.act_as('csr');
select throws_ok($$insert into project_members (org_id, client_id, project_id, user_id)
  select org_id, client_id, project_id, pg_temp.login('dispatcher') from sample$$, '23503', null, 'who is not in the client is on no team of it');
select lives_ok($$delete from client_members where client_id = (select client_id from sample) and user_id = pg_temp.login('sales')$$, 'an admin takes a member out');
select is_empty($$select from project_members where project_id = (select project_id from sample) and user_id = pg_temp.login('sales')$$, 'who is off its teams too');
reset role;
insert into org_channels (org_id, client_id, project_id, channel, address) select org_id, client_id, project_id, 'sms', '+15005559999' from sample;
select pg_temp.act_as('csr');
select lives_ok($$delete from clients where id = (select client_id from sample)$$, 'a client goes with all it has');
reset role;
select is_empty($$select from messages where id = (select message_id from sample) union all select from metrics where entity_id = (select project_id from sample)$$, 'its messages and figures too');
select results_eq($$select client_id, project_id from org_channels where address = '+15005559999'$$, $$values (null::uuid, null::uuid)$$, 'its channels stay the org''s');

-- The triggers by the names that were asked for.
select is_empty($$
  select v.tab, v.trigger from (values
    ('leads', 'update_leads_timestamp', 'update_updated_at'), ('projects', 'update_projects_timestamp', 'update_updated_at'),
    ('leads', 'log_lead_status_change', 'log_status_change_activity'), ('leads', 'log_lead_creation', 'log_creation_activity'),
    ('messages', 'update_conversation_count', 'update_conversation_stats'), ('leads', 'refresh_project_metrics', 'refresh_metrics_cache'))
    as v (tab, trigger, function)
  where not exists (select from pg_trigger t where t.tgrelid = ('public.' || v.tab)::regclass and t.tgname = v.trigger
    and t.tgfoid = ('public.' || v.function || '()')::regprocedure and t.tgenabled = 'O')
$$, 'every trigger is there');

select * from finish();
rollback;
