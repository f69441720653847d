-- In: {org_id or null: all, batch_limit}. Out: {taken, notices: [{org_id, notice, accounts: [{customer_id, wishes, email_contact_id, sms_contact_id}]}]}.
-- What is taken goes with this transaction. Of what happened to one visit, booking or thread meanwhile, the last is told. Whose account
-- it is is told where they sign in, if that is a contact of their customer. Runs as owner, for jobs.
with due as materialized (
  select n.id from fieldcrm.portal_notices n
  where $1 ->> 'org_id' is null or n.org_id = ($1 ->> 'org_id')::uuid
  order by n.created_at, n.id
  limit ($1 ->> 'batch_limit')::bigint
  for update skip locked
), taken as (
  delete from fieldcrm.portal_notices n using due d where n.id = d.id returning n.*
), last as materialized (
  select distinct on (t.org_id, t.kind, t.subject_id) t.*
  from taken t
  order by t.org_id, t.kind, t.subject_id, t.created_at desc, t.id desc
), told as materialized (
  select l.id, l.org_id, l.customer_id, coalesce(w.location_id, b.location_id, h.location_id) as location_id, jsonb_build_object(
    'id', l.id, 'kind', l.kind, 'change', l.payload ->> 'change', 'created_at', l.created_at, 'org_name', o.name, 'service', y.name,
    'window', 'on ' || to_char(w.window_start at time zone o.time_zone, 'YYYY-MM-DD') || ' from '
      || to_char(w.window_start at time zone o.time_zone, 'HH24:MI') || ' to ' || to_char(w.window_end at time zone o.time_zone, 'HH24:MI'),
    'window_end', w.window_end, 'eta', 'at ' || to_char(w.eta at time zone o.time_zone, 'HH24:MI'), 'subject', h.subject) as notice
  from last l
  join public.orgs o on o.id = l.org_id
  left join public.work_orders w on l.kind = 'appointment' and w.org_id = l.org_id and w.id = l.subject_id
  left join public.portal_booking_requests b on l.kind = 'booking' and b.org_id = l.org_id and b.id = l.subject_id
  left join public.portal_threads h on l.kind = 'message' and h.org_id = l.org_id and h.customer_id = l.customer_id and h.id = l.subject_id
  left join public.service_types y on y.org_id = l.org_id and y.code = coalesce(w.service_type, b.service_type)
)
select jsonb_build_object('taken', (select count(*) from taken), 'notices', coalesce((
  select jsonb_agg(jsonb_build_object('org_id', t.org_id, 'notice', t.notice, 'accounts', coalesce((
    select jsonb_agg(jsonb_build_object('customer_id', a.customer_id,
      'wishes', case when n.id is not null then jsonb_build_object('email', n.notify_booking_updates_email,
        'sms', n.notify_booking_updates_sms, 'en_route', n.notify_technician_enroute) end,
      'email_contact_id', (select e.id from public.customer_contacts e
        where e.org_id = a.org_id and e.customer_id = a.customer_id and e.type = 'email' and e.value = lower(u.email) order by e.created_at, e.id limit 1),
      'sms_contact_id', (select e.id from public.customer_contacts e
        where e.org_id = a.org_id and e.customer_id = a.customer_id and e.type = 'mobile' and e.value = '+' || ltrim(u.phone, '+') order by e.created_at, e.id limit 1))
      order by a.created_at, a.id)
    from public.portal_accounts a
    join auth.users u on u.id = a.user_id
    left join public.portal_notification_preferences n on n.org_id = a.org_id and n.portal_account_id = a.id
    where a.org_id = t.org_id and a.status = 'active'
      and a.id in (
        select k.id from public.portal_accounts k where k.org_id = t.org_id and k.customer_id = t.customer_id
        union all
        select x.portal_account_id from public.portal_account_access x join public.portal_accounts k on k.org_id = x.org_id and k.id = x.portal_account_id
        where x.org_id = t.org_id and x.customer_id = t.customer_id and (x.location_id is null or x.location_id = t.location_id)
          and k.role in ('property_manager', 'admin'))), '[]')))
  from told t), '[]'))
