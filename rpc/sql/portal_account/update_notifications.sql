-- In: {org_id, id, set: what changes}. Out: the preferences as they are now.
insert into public.portal_notification_preferences as n (org_id, portal_account_id, notify_booking_updates_email,
  notify_booking_updates_sms, notify_marketing_email, notify_marketing_sms, notify_technician_enroute, quiet_hours_start,
  quiet_hours_end, timezone)
select ($1 ->> 'org_id')::uuid, ($1 ->> 'id')::uuid, coalesce(g.notify_booking_updates_email, true),
  coalesce(g.notify_booking_updates_sms, true), coalesce(g.notify_marketing_email, false), coalesce(g.notify_marketing_sms, false),
  coalesce(g.notify_technician_enroute, true), g.quiet_hours_start, g.quiet_hours_end, g.timezone
from jsonb_to_record($1 -> 'set') as g (notify_booking_updates_email boolean, notify_booking_updates_sms boolean,
  notify_marketing_email boolean, notify_marketing_sms boolean, notify_technician_enroute boolean, quiet_hours_start time,
  quiet_hours_end time, timezone text)
on conflict on constraint portal_notification_preferences_org_id_portal_account_id_key do update
set (notify_booking_updates_email, notify_booking_updates_sms, notify_marketing_email, notify_marketing_sms,
    notify_technician_enroute, quiet_hours_start, quiet_hours_end, timezone) = (
  select r.notify_booking_updates_email, r.notify_booking_updates_sms, r.notify_marketing_email, r.notify_marketing_sms,
    r.notify_technician_enroute, r.quiet_hours_start, r.quiet_hours_end, r.timezone
  from jsonb_populate_record(n, $1 -> 'set') r)
returning to_jsonb(n) - '{id,org_id,portal_account_id,created_at,updated_at}'::text[]
