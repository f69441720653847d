-- In: {plans: [{visit_plan_id, made_until, days, with_technician}]}, which plan_take.sql locked. Out: how many work orders were made. A
-- technician who has something else to do then is left out. For sessions that bypass RLS, under the technicians' locks.
with given as materialized (
  select p.*, g.made_until as new_made_until, g.with_technician, d.day::date as day,
    (d.day::date + p.start_time) at time zone o.time_zone as starts_at
  from jsonb_to_recordset($1 -> 'plans') as g (visit_plan_id uuid, made_until date, days jsonb, with_technician boolean)
  join public.visit_plans p on p.id = g.visit_plan_id
  join public.orgs o on o.id = p.org_id
  cross join lateral jsonb_array_elements_text(g.days) as d (day)
), made as (
  insert into public.work_orders (org_id, customer_id, location_id, technician_id, service_type, title, window_start, window_end,
    visit_plan_id, occurrence_on, created_by_user_id)
  select g.org_id, g.customer_id, g.location_id, case when g.with_technician and not exists (
      select from fieldcrm.reservations r where r.org_id = g.org_id and r.technician_id = g.technician_id
        and r.during && tstzrange(g.starts_at, g.starts_at + make_interval(mins => g.duration_minutes))) then g.technician_id end,
    g.service_type, g.title, g.starts_at, g.starts_at + make_interval(mins => g.duration_minutes), g.id, g.day, null
  from given g
  on conflict (org_id, visit_plan_id, occurrence_on) do nothing
  returning 1
), marked as (
  update public.visit_plans p set made_until = g.made_until
  from jsonb_to_recordset($1 -> 'plans') as g (visit_plan_id uuid, made_until date)
  where p.id = g.visit_plan_id
)
select to_jsonb(count(*)) from made
