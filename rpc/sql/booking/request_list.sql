-- In: {org_id, scope, id or null, status or null, before_at, before_id (of a cursor) or nulls, limit}. Out: [requests that the account
-- sees], the newest first. Who is to come, and who decided, are not the customer's to know. Runs as owner.
select coalesce(jsonb_agg(x.booking order by x.created_at desc, x.id desc), '[]')
from (
  select b.created_at, b.id, jsonb_build_object('id', b.id, 'customer_id', b.customer_id, 'location_id', b.location_id, 'status', b.status,
    'service_type', b.service_type, 'service_name', s.name, 'problem_description', b.problem_description,
    'preferred_service_date', b.preferred_service_date, 'preferred_time_window_start', b.preferred_time_window_start,
    'preferred_time_window_end', b.preferred_time_window_end, 'flexible_date', b.flexible_date, 'attachments', b.attachments,
    'source_channel', b.source_channel, 'starts_at', b.starts_at, 'ends_at', b.ends_at, 'review_note', b.review_note,
    'reviewed_at', b.reviewed_at, 'canceled_at', b.canceled_at, 'cancel_reason', b.cancel_reason,
    'related_work_order_id', b.related_work_order_id, 'created_at', b.created_at, 'updated_at', b.updated_at) as booking
  from public.portal_booking_requests b
  join public.service_types s on s.org_id = b.org_id and s.code = b.service_type
  where b.org_id = ($1 ->> 'org_id')::uuid
    and b.customer_id in (select a.customer_id from jsonb_to_recordset($1 -> 'scope') as a (customer_id uuid))
    and exists (select from jsonb_to_recordset($1 -> 'scope') as a (customer_id uuid, location_id uuid)
      where a.customer_id = b.customer_id and (a.location_id is null or a.location_id = b.location_id))
    and ($1 ->> 'id' is null or b.id = ($1 ->> 'id')::uuid)
    and ($1 ->> 'status' is null or b.status = ($1 ->> 'status')::public.portal_booking_status)
    and ($1 ->> 'before_at' is null or (b.created_at, b.id) < (($1 ->> 'before_at')::timestamptz, ($1 ->> 'before_id')::uuid))
  order by b.created_at desc, b.id desc
  limit ($1 ->> 'limit')::bigint
) x
