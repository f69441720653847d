-- In: {org_id, portal_account_id, id}. Out: {id, released}, or null: the account has no such hold, or booked it. Runs as owner.
delete from public.portal_booking_holds h
where h.org_id = ($1 ->> 'org_id')::uuid and h.portal_account_id = ($1 ->> 'portal_account_id')::uuid and h.id = ($1 ->> 'id')::uuid
  and h.booking_request_id is null
returning jsonb_build_object('id', h.id, 'released', true)
