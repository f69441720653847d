-- In: {org_id, customer_id, location_id, related_work_order_id, subject, portal_account_id or null, user_id or null}. Out: {id}. The first
-- message comes with send.sql.
insert into public.portal_threads (org_id, customer_id, location_id, related_work_order_id, subject, created_by_portal_account_id,
  created_by_user_id)
values (($1 ->> 'org_id')::uuid, ($1 ->> 'customer_id')::uuid, ($1 ->> 'location_id')::uuid, ($1 ->> 'related_work_order_id')::uuid,
  $1 ->> 'subject', ($1 ->> 'portal_account_id')::uuid, ($1 ->> 'user_id')::uuid)
returning jsonb_build_object('id', id)
