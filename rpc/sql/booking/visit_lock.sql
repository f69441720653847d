-- In: {org_id, id, scope}. Out: {customer_id, location_id, service_type, technician_id, window_end, now, visit: {status, window_start,
-- reschedule_count}, policy: what the org set, {} for the defaults}, or null: the account does not see it. Runs as owner.
select jsonb_build_object('customer_id', w.customer_id, 'location_id', w.location_id, 'service_type', w.service_type,
  'technician_id', w.technician_id, 'window_end', w.window_end, 'now', clock_timestamp(),
  'visit', jsonb_build_object('status', w.status, 'window_start', w.window_start, 'reschedule_count', w.reschedule_count),
  'policy', coalesce((select jsonb_build_object('reschedule_hours_before', s.reschedule_hours_before, 'max_reschedules', s.max_reschedules,
      'cancel_hours_before', s.cancel_hours_before, 'cancel_fee_note', s.cancel_fee_note)
    from public.portal_settings s where s.org_id = w.org_id), '{}'))
from public.work_orders w
where w.org_id = ($1 ->> 'org_id')::uuid and w.id = ($1 ->> 'id')::uuid
  and exists (select from jsonb_to_recordset($1 -> 'scope') as a (customer_id uuid, location_id uuid)
    where a.customer_id = w.customer_id and (a.location_id is null or a.location_id = w.location_id))
for update of w
