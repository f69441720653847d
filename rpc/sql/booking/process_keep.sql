-- In: {org_id, id, hold_id}. Out: {}. The hold is the request's from now on. For sessions that bypass RLS.
with kept as (
  update public.portal_booking_holds h set booking_request_id = ($1 ->> 'id')::uuid, expires_at = null
  where h.org_id = ($1 ->> 'org_id')::uuid and h.id = ($1 ->> 'hold_id')::uuid
  returning h.*
)
update public.portal_booking_requests b set starts_at = k.starts_at, ends_at = k.ends_at, technician_id = k.technician_id
from kept k where b.org_id = k.org_id and b.id = ($1 ->> 'id')::uuid
returning '{}'::jsonb
