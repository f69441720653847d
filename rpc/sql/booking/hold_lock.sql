-- In: {org_id, portal_account_id, id}. Out: {id, service_type, location_id, starts_at (seconds since 1970), is_live}, or null: the
-- account has no such hold, booked it, or its location is gone. Until the end of the transaction nobody takes it for one that ran out. Runs as owner.
select jsonb_build_object('id', h.id, 'service_type', s.code, 'location_id', h.location_id,
  'starts_at', date_part('epoch', h.starts_at), 'is_live', h.expires_at > clock_timestamp())
from public.portal_booking_holds h
join public.service_types s on s.org_id = h.org_id and s.id = h.service_type_id
where h.org_id = ($1 ->> 'org_id')::uuid and h.portal_account_id = ($1 ->> 'portal_account_id')::uuid and h.id = ($1 ->> 'id')::uuid
  and h.booking_request_id is null and h.location_id is not null
for update of h
