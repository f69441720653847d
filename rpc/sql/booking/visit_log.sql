-- In: {org_id, id, user_id, subject, body or null}. Out: {}. What a customer did with a visit is an interaction. Runs as owner.
insert into public.crm_interactions (org_id, customer_id, location_id, related_work_order_id, channel, direction, subject, body, created_by_user_id)
select w.org_id, w.customer_id, w.location_id, w.id, 'portal_message', 'inbound', $1 ->> 'subject', $1 ->> 'body', ($1 ->> 'user_id')::uuid
from public.work_orders w
where w.org_id = ($1 ->> 'org_id')::uuid and w.id = ($1 ->> 'id')::uuid
returning '{}'::jsonb
