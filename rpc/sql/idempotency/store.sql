-- In: {org_id, user_id, key, response}.
update fieldcrm.idempotency_keys k set response = $1 -> 'response'
where k.org_id = ($1 ->> 'org_id')::uuid and k.user_id = ($1 ->> 'user_id')::uuid and k.key = $1 ->> 'key'
returning '{}'::jsonb
