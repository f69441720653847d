-- When the database does by itself what needs no network: jobs of pg_cron, where that is installed. What sends messages
-- is scheduled with the edge functions.

create function fieldcrm.schedule_jobs() returns integer
language plpgsql set search_path = '' as $$
declare
  job record;
  jobs integer := 0;
begin
  if not exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'cron' and p.proname = 'schedule' and p.pronargs = 3) then
    return 0;
  end if;
  for job in
    select * from (values
      ('fieldcrm_run_automations', '10 seconds', 'select public.crm_run_automations()'),
      ('fieldcrm_process_time_based', '* * * * *', 'select public.crm_process_time_based()'),
      ('fieldcrm_process_segments', '* * * * *',
        'select public.crm_recompute_due_segments(); select public.crm_process_segment_automations()'),
      ('fieldcrm_remind_followups', '* * * * *', 'select public.crm_remind_followups()'),
      ('fieldcrm_send_portal_notices', '10 seconds', 'select public.crm_send_portal_notices()'),
      ('fieldcrm_process_bookings', '* * * * *', 'select public.crm_process_bookings()'),
      ('fieldcrm_make_planned_visits', '23 * * * *', 'select public.crm_make_planned_visits()'),
      ('fieldcrm_expire_followups', '7 * * * *', 'select public.crm_expire_followups()'),
      ('fieldcrm_prune', '*/10 * * * *', 'select public.crm_prune(batch_limit => 10000)'),
      -- pg_cron keeps a row of every run, and nothing else ever deletes one.
      ('fieldcrm_prune_job_runs', '17 3 * * *', 'delete from cron.job_run_details r using cron.job j '
        'where j.jobid = r.jobid and j.jobname like ''fieldcrm\_%'' and r.end_time < now() - interval ''7 days'''))
      as j (name, schedule, command)
  loop
    -- By literals: the type of the name differs between its versions.
    begin
      execute format('select cron.schedule(%L, %L, %L)', job.name, job.schedule, job.command);
    exception when invalid_parameter_value then
      -- Before 1.5 it knows no seconds.
      execute format('select cron.schedule(%L, %L, %L)', job.name, '* * * * *', job.command);
    end;
    jobs := jobs + 1;
  end loop;
  return jobs;
end $$;
comment on function fieldcrm.schedule_jobs() is $$Schedules the jobs of the database with pg_cron, or again as they are meant to be, and says how many; 0 where pg_cron
is not installed. They run as whoever calls this, who must bypass row level security: postgres on Supabase. After `create extension pg_cron`:
select fieldcrm.schedule_jobs();
To stop them: select cron.unschedule(jobid) from cron.job where jobname like 'fieldcrm\_%';$$;
revoke all on function fieldcrm.schedule_jobs() from public, anon, authenticated, service_role;

do $schedule$
begin
  if exists (select from pg_extension where extname = 'pg_cron') then
    perform fieldcrm.schedule_jobs();
  end if;
exception when insufficient_privilege then
  raise notice 'pg_cron is not for this role: let one that may use it select fieldcrm.schedule_jobs()';
end $schedule$;
