-- In: {org_id, user_id, key}. Out: {operation, fingerprint, response}.
select jsonb_build_object('operation', k.operation, 'fingerprint', k.fingerprint, 'response', k.response)
from fieldcrm.idempotency_keys k
where k.org_id = ($1 ->> 'org_id')::uuid and k.user_id = ($1 ->> 'user_id')::uuid and k.key = $1 ->> 'key'
