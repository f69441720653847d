-- In: {org_id, user_id, customer_id, operation}. Out: {}. Runs as owner: technicians see no customers, so no policy lets
-- them write that they looked at one.
insert into public.crm_access_log (org_id, customer_id, operation, user_id, request_id, ip, user_agent)
select ($1 ->> 'org_id')::uuid, ($1 ->> 'customer_id')::uuid, $1 ->> 'operation', ($1 ->> 'user_id')::uuid,
  r.request_id, r.ip, r.user_agent
from fieldcrm.request_context() r
returning '{}'::jsonb
