-- In: {org_id, portal_account_id}. Out: how many slots the account keeps, without those of its requests. Runs as owner.
select to_jsonb(count(*)) from public.portal_booking_holds h
where h.org_id = ($1 ->> 'org_id')::uuid and h.portal_account_id = ($1 ->> 'portal_account_id')::uuid
  and h.expires_at > clock_timestamp()
