-- In: {org_id, user_id, key, operation, fingerprint}. Out: {claimed}. A key without a response was
-- claimed by a call that neither succeeded nor was rolled back (a body of an RPC called by itself): it
-- counts as unused. A statement of its own, since claiming by ON CONFLICT DO UPDATE would meet the policy
-- for updates before its WHERE. Of two sessions the second waits, and finds the response of the first.
with claimed as (
  update fieldcrm.idempotency_keys k
  set operation = $1 ->> 'operation', fingerprint = $1 ->> 'fingerprint', created_at = now()
  where k.org_id = ($1 ->> 'org_id')::uuid and k.user_id = ($1 ->> 'user_id')::uuid and k.key = $1 ->> 'key'
    and k.response is null
  returning 1
)
select jsonb_build_object('claimed', exists (select from claimed))
