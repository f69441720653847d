-- In: {org_id, id, user_id, operation}. Out: {}. Who took the data of whom.
insert into public.crm_access_log (org_id, customer_id, operation, user_id, request_id, ip, user_agent)
select ($1 ->> 'org_id')::uuid, ($1 ->> 'id')::uuid, $1 ->> 'operation', ($1 ->> 'user_id')::uuid,
  r.request_id, r.ip, r.user_agent
from fieldcrm.request_context() r
returning '{}'::jsonb
