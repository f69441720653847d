-- The jobs of the database, scheduled with a stand-in for pg_cron: it is not everywhere, and it would run them.
begin;
select plan(13);

-- Where pg_cron is installed, its schema makes way for the stand-in until the rollback.
do $$
begin
  if to_regnamespace('cron') is not null then
    alter schema cron rename to cron_aside;
  end if;
end $$;
select is(fieldcrm.schedule_jobs(), 0, 'without pg_cron nothing is scheduled, and nothing fails');

create schema cron;
create table cron.job (jobid bigint generated always as identity, jobname text primary key, schedule text, command text, username text);
create table cron.job_run_details (jobid bigint, end_time timestamptz);
create function cron.schedule(job_name text, schedule text, command text) returns bigint language plpgsql as $$
declare
  id bigint;
begin
  if schedule !~ '^([1-5]?[0-9] seconds|[-*/0-9,]+( [-*/0-9,]+){4})$' or schedule ~ 'seconds' and current_setting('test.seconds') = 'off' then
    raise exception using errcode = '22023', message = 'invalid schedule: ' || schedule;
  end if;
  insert into cron.job (jobname, schedule, command, username) values ($1, $2, $3, current_user)
  on conflict (jobname) do update set schedule = excluded.schedule, command = excluded.command returning jobid into id;
  return id;
end $$;

set local test.seconds = 'on';
select is(fieldcrm.schedule_jobs(), 10, 'with it, every job is');
select is((select schedule from cron.job where jobname = 'fieldcrm_run_automations'), '10 seconds', 'automation does not wait for long');
select is((select count(*) from cron.job where jobname like 'fieldcrm\_%'), (select count(*) from cron.job), 'the names say whose they are');
create temporary table before as select * from cron.job;
select is(fieldcrm.schedule_jobs(), 10, 'again');
select results_eq('select * from cron.job order by jobid', 'select * from before order by jobid', 'changes nothing');

set local test.seconds = 'off';
select is(fieldcrm.schedule_jobs(), 10, 'before 1.5 pg_cron knows no seconds');
select is((select schedule from cron.job where jobname = 'fieldcrm_run_automations'), '* * * * *', 'then it is every minute');

-- A text that no server reads would fail only at night.
create temporary table readable (jobname text, state text);
do $$
declare
  j record;
  state text;
begin
  for j in select * from cron.job loop
    state := 'fine';
    begin
      execute j.command;
    exception when others then
      state := sqlstate;
    end;
    insert into readable values (j.jobname, state);
  end loop;
end $$;
-- 42883: the RPCs are the extension's, which is not everywhere.
select is_empty($$select * from readable where state not in ('fine', '42883')$$, 'every job is SQL that runs');
select is_empty($$select * from readable where state <> 'fine' and exists (select from pg_extension where extname = 'fieldcrm')$$,
  'and with the extension, every RPC is there');
select is_empty($$select j.jobname from cron.job j, regexp_matches(j.command, 'public\.(crm_[a-z_]+)\(', 'g') m
  where exists (select from pg_extension where extname = 'fieldcrm')
    and to_regproc('public.' || m[1]) is null$$, 'under the name that it calls');

insert into cron.job_run_details select jobid, now() - v.age from cron.job, (values (interval '8 days'), (interval '6 days')) as v (age);
insert into cron.job (jobname) values ('somebody else''s');
insert into cron.job_run_details select jobid, now() - interval '8 days' from cron.job where jobname = 'somebody else''s';
do $$ begin execute (select command from cron.job where jobname = 'fieldcrm_prune_job_runs'); end $$;
select is((select count(*) from cron.job_run_details), 11::bigint, 'what is kept of the runs of jobs goes after a week, of these jobs only');

select is_empty($$select r from unnest('{anon,authenticated,service_role}'::text[]) r where has_function_privilege(r, 'fieldcrm.schedule_jobs()', 'execute')$$,
  'no client schedules anything');

select * from finish();
rollback;
