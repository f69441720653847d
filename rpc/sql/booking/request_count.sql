-- In: {org_id, portal_account_id}. Out: how many requests of the account are open or became a visit that is still to come. Of a
-- location that is gone the account may not see it any more, to cancel it. Runs as owner, after lock_account.sql.
select to_jsonb(count(*)) from public.portal_booking_requests b
left join public.work_orders w on w.org_id = b.org_id and w.customer_id = b.customer_id and w.id = b.related_work_order_id
where b.org_id = ($1 ->> 'org_id')::uuid and b.portal_account_id = ($1 ->> 'portal_account_id')::uuid
  and b.location_id is not null and (b.status in ('submitted', 'under_review', 'approved')
    or b.status = 'scheduled' and w.status = 'scheduled' and w.window_start > clock_timestamp())
