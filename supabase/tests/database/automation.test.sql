-- Automation, by hand on its tables: what they keep whoever writes, and who deletes a rule.
begin;
select plan(43);

create function pg_temp.act_as(login text) returns void language plpgsql as $$
begin
  reset role;
  perform set_config('request.jwt.claims', (select jsonb_build_object('sub', id, 'role', 'authenticated')::text
    from auth.users where email = login), true);
  set local role authenticated;
end $$;
grant execute on function pg_temp.act_as(text) to authenticated;

create temporary table org as select '11111111-1111-4111-8111-111111111111'::uuid as id,
  (select s.id from crm_segments s where s.org_id = '11111111-1111-4111-8111-111111111111' order by s.id limit 1) as segment_id,
  (select s.id from crm_segments s where s.org_id = '22222222-2222-4222-8222-222222222222' order by s.id limit 1) as foreign_segment_id,
  (select c.id from customers c where c.org_id = '11111111-1111-4111-8111-111111111111' order by c.id limit 1) as customer_id;

-- Adds a rule that is right but for the change.
create function pg_temp.add_rule(change jsonb) returns uuid language sql as $$
  insert into crm_automation_rules (org_id, name, description, is_enabled, trigger_type, event_type, time_offset_minutes, segment_id,
    segment_change, conditions, actions, reenrollment, cooldown_minutes, max_lateness_minutes)
  select o.id, r.name, r.description, r.is_enabled, r.trigger_type, r.event_type, r.time_offset_minutes, r.segment_id, r.segment_change,
    r.conditions, r.actions, r.reenrollment, r.cooldown_minutes, r.max_lateness_minutes
  from org o, jsonb_populate_record(null::crm_automation_rules, '{"name": "x", "is_enabled": true, "trigger_type": "event",
    "event_type": "quote_sent", "segment_change": "entered", "reenrollment": "once", "max_lateness_minutes": 1440,
    "actions": [{"type": "tag_customer", "tag": "x"}]}' || change) r
  returning id
$$;

select throws_ok(format('select pg_temp.add_rule(%L)', v.change), '23514', null, 'refused: ' || v.change)
from (values
  ('{"name": " "}'), ('{"event_type": null}'), ('{"event_type": "Quote"}'), ('{"trigger_type": "time_based"}'),
  ('{"trigger_type": "segment_membership"}'), ('{"event_type": "no_reply", "time_offset_minutes": 0}'),
  ('{"time_offset_minutes": -1}'), ('{"time_offset_minutes": 5256001}'), ('{"max_lateness_minutes": 0}'),
  ('{"max_lateness_minutes": 5256001}'), ('{"reenrollment": "cooldown", "cooldown_minutes": 0}'), ('{"reenrollment": "cooldown"}'),
  ('{"cooldown_minutes": 5}'), ('{"reenrollment": "often"}'), ('{"segment_change": "moved"}'), ('{"conditions": []}'),
  ('{"actions": {}}'), ('{"actions": []}')) as v (change);
select throws_ok(format('select pg_temp.add_rule(%L)', jsonb_build_object('actions', (select jsonb_agg('{}'::jsonb) from generate_series(1, 21)))),
  '23514', null, 'refused: 21 actions');
select lives_ok(format('select pg_temp.add_rule(%L)', v.change), 'taken: ' || v.change)
from (values
  ('{}'), ('{"event_type": "no_reply", "time_offset_minutes": 1}'), ('{"trigger_type": "time_based", "time_offset_minutes": 0}'),
  ('{"time_offset_minutes": 5256000, "max_lateness_minutes": 5256000}'), ('{"reenrollment": "cooldown", "cooldown_minutes": 1}'),
  ('{"conditions": {}}')) as v (change);
select throws_ok(format('select pg_temp.add_rule(%L)', jsonb_build_object('segment_id', foreign_segment_id)), '23503', null,
  'a segment of another org is not there') from org;

do $$
declare
  o org;
begin
  select * into o from org;
  perform pg_temp.add_rule('{"trigger_type": "time_based", "event_type": null, "time_offset_minutes": 5}');
  perform pg_temp.add_rule(jsonb_build_object('trigger_type', 'time_based', 'event_type', null, 'time_offset_minutes', 5,
    'segment_id', o.segment_id));
  perform pg_temp.add_rule(jsonb_build_object('trigger_type', 'segment_membership', 'event_type', null, 'segment_id', o.segment_id,
    'segment_change', 'left'));
end $$;
select is((select string_agg(distinct listens_to, ' ' order by listens_to) from crm_automation_rules r, org o where r.org_id = o.id and r.name = 'x'),
  'customer_created interaction_logged quote_sent segment_entered segment_left', 'each trigger has the events it waits for');

-- Versions, and since when it is on.
create temporary table kept as select pg_temp.add_rule('{"name": "kept", "is_enabled": false}') as id;
update crm_automation_rules set enabled_at = '2020-01-01' where id = (select id from kept);
update crm_automation_rules set name = 'renamed', description = 'x' where id = (select id from kept);
select is((select (version, enabled_at)::text from crm_automation_rules where id = (select id from kept)),
  (select (1, '2020-01-01'::timestamptz)::text), 'a name is no version');
update crm_automation_rules set is_enabled = true where id = (select id from kept);
select is((select (version, enabled_at)::text from crm_automation_rules where id = (select id from kept)), (select (1, now())::text),
  'it is on since it was enabled');
update crm_automation_rules set event_type = 'quote_accepted' where id = (select id from kept);
select is((select version from crm_automation_rules where id = (select id from kept)), 2, 'what it does is a version');

-- Runs.
create function pg_temp.add_run(occurrence text, state text, skip text, error text, done timestamptz) returns void language sql as $$
  insert into crm_automation_runs (org_id, rule_id, rule_version, customer_id, occurrence_key, status, skip_code, error_code, completed_at)
  select o.id, k.id, 1, o.customer_id, occurrence, state::automation_run_status, skip, error, done from org o, kept k
$$;
select lives_ok($$select pg_temp.add_run('a', 'pending', null, null, null), pg_temp.add_run('b', 'success', null, null, now()),
  pg_temp.add_run('c', 'skipped', 'late', null, now()), pg_temp.add_run('d', 'failed', null, 'x', now())$$, 'a run has a state');
select throws_ok($$select pg_temp.add_run('a', 'success', null, null, now())$$, '23505', null, 'and there is one of an occurrence');
select throws_ok(v.statement, '23514', null, v.what) from (values
  ($$select pg_temp.add_run('e', 'skipped', null, null, now())$$, 'a skipped run says why'),
  ($$select pg_temp.add_run('e', 'success', 'late', null, now())$$, 'and no other does'),
  ($$select pg_temp.add_run('e', 'failed', null, null, now())$$, 'a failed run has an error'),
  ($$select pg_temp.add_run('e', 'success', null, 'x', now())$$, 'and no other has'),
  ($$select pg_temp.add_run('e', 'pending', null, null, now())$$, 'what is pending has not ended'),
  ($$select pg_temp.add_run('e', 'success', null, null, null)$$, 'and what has is not pending')) as v (statement, what);

-- The queue and the enrolments are the runner's.
select pg_temp.act_as('owner@northwind.example');
select throws_ok('select from fieldcrm.event_queue', '42501', null, 'nobody reads the queue');
select throws_ok('select from fieldcrm.automation_enrollments', '42501', null, 'nor who was taken in');
with d as (delete from crm_automation_rules where name = 'renamed' returning 1)
select is((select count(*) from d), 1::bigint, 'who writes automation deletes a rule');
reset role;
select is((select count(*) from crm_automation_runs r, kept k where r.rule_id = k.id), 0::bigint, 'and its runs go with it');
select pg_temp.act_as('csr@northwind.example');
with d as (delete from crm_automation_rules returning 1)
select is((select count(*) from d), 0::bigint, 'nobody else does');
reset role;

select * from finish();
rollback;
