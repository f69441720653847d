-- In: {org_id, id}. Out: the work order with all its columns. Runs as owner, for those who may write work orders.
select to_jsonb(w) from public.work_orders w
where w.org_id = ($1 ->> 'org_id')::uuid and w.id = ($1 ->> 'id')::uuid
