-- In: {org_id, user_id, key, operation, fingerprint}. Out: {claimed}.
with claimed as (
  insert into fieldcrm.idempotency_keys (org_id, user_id, key, operation, fingerprint)
  values (($1 ->> 'org_id')::uuid, ($1 ->> 'user_id')::uuid, $1 ->> 'key', $1 ->> 'operation', $1 ->> 'fingerprint')
  on conflict (org_id, user_id, key) do nothing
  returning 1
)
select jsonb_build_object('claimed', exists (select from claimed))
