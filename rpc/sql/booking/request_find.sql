-- In: {org_id, dedupe_key}. Out: the id of the request that this call made before, or null. Runs as owner, after lock_account.sql: calls
-- of one account take turns; of any others with the key, the constraint lets one through.
select to_jsonb(b.id) from public.portal_booking_requests b
where b.org_id = ($1 ->> 'org_id')::uuid and b.dedupe_key = $1 ->> 'dedupe_key'
