-- In: {org_id or null for all, batch_limit}. Out: [{id, technician_id, rrule, starts_on, from_day, to_day}]: plans whose visits of the
-- next 60 days are not all made, those first that waited longest. What another session has is left to it. For sessions that
-- bypass RLS.
with taken as materialized (
  select p.*, (now() at time zone o.time_zone)::date as today
  from public.visit_plans p
  join public.orgs o on o.id = p.org_id
  join public.customers c on c.org_id = p.org_id and c.id = p.customer_id and not c.is_archived and c.erased_at is null and c.merged_into_id is null
  where p.is_active and ($1 ->> 'org_id' is null or p.org_id = ($1 ->> 'org_id')::uuid)
    and coalesce(p.made_until, '-infinity') < (now() at time zone o.time_zone)::date + 60
  order by p.made_until nulls first, p.id
  limit ($1 ->> 'batch_limit')::bigint
  for update of p skip locked
)
select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'technician_id', t.technician_id, 'rrule', t.rrule, 'starts_on', t.starts_on,
  'from_day', greatest(t.today, coalesce(t.made_until + 1, t.today)), 'to_day', t.today + 60) order by t.id), '[]')
from taken t
