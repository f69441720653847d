-- In: {org_id or null for all, batch_limit}. Out: [{id, org_id, portal_account_id, customer_id, location_id, service_type, auto_schedule,
-- has_slot, first_day, last_day, window_start, window_end}]: requests that nobody has looked at, the oldest first. Who is flexible takes
-- a fortnight; whose account is not active gets nothing by itself. What another session has is left to it. For sessions that bypass RLS.
with taken as materialized (
  select b.* from public.portal_booking_requests b
  where b.status = 'submitted' and ($1 ->> 'org_id' is null or b.org_id = ($1 ->> 'org_id')::uuid)
  order by b.created_at
  limit ($1 ->> 'batch_limit')::bigint
  for update skip locked
)
select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'org_id', t.org_id, 'portal_account_id', t.portal_account_id,
  'customer_id', t.customer_id, 'location_id', t.location_id, 'service_type', t.service_type,
  'auto_schedule', coalesce(s.auto_schedule, false) and a.status = 'active', 'has_slot', coalesce(t.starts_at > now(), false),
  'first_day', case when d.last_day >= d.today then greatest(d.first_day, d.today) end, 'last_day', d.last_day,
  'window_start', coalesce(date_part('epoch', t.preferred_time_window_start), 0),
  'window_end', coalesce(date_part('epoch', t.preferred_time_window_end), 86400)) order by t.created_at, t.id), '[]')
from taken t
join public.orgs o on o.id = t.org_id
join public.portal_accounts a on a.org_id = t.org_id and a.id = t.portal_account_id
left join public.portal_settings s on s.org_id = t.org_id
cross join lateral (select (now() at time zone o.time_zone)::date as today) n
cross join lateral (select n.today, coalesce(t.preferred_service_date, case when t.flexible_date then n.today end) as first_day) f
cross join lateral (select f.today, f.first_day, case when t.flexible_date then f.first_day + 13 else f.first_day end as last_day) d
