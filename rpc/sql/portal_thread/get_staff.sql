-- In: {org_id, id}, a thread that the caller sees. Out: the thread. Runs as owner; of the customer a name.
select jsonb_build_object('id', t.id, 'subject', t.subject, 'status', t.status, 'customer', jsonb_build_object('id', c.id, 'name', c.name),
  'location_id', t.location_id, 'related_work_order_id', t.related_work_order_id, 'assigned_to_user_id', t.assigned_to_user_id,
  'created_by_portal_account_id', t.created_by_portal_account_id, 'created_by_user_id', t.created_by_user_id,
  'last_message_at', t.last_message_at, 'created_at', t.created_at, 'updated_at', t.updated_at,
  'unread_count', (select count(*) from public.portal_messages m
    where m.org_id = t.org_id and m.thread_id = t.id and m.read_at is null and m.sender_type = 'portal_customer'))
from public.portal_threads t join public.customers c on c.org_id = t.org_id and c.id = t.customer_id
where t.org_id = ($1 ->> 'org_id')::uuid and t.id = ($1 ->> 'id')::uuid
