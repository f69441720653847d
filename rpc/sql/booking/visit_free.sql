-- In: {org_id, id}. Out: {}, or null. What the request kept is free, for its visit, in the same subtransaction and under the
-- technician's lock. A statement of its own: the visit's triggers must see that it is gone. Runs as owner.
delete from public.portal_booking_holds h
where h.org_id = ($1 ->> 'org_id')::uuid and h.booking_request_id = ($1 ->> 'id')::uuid
returning '{}'::jsonb
