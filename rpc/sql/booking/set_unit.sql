-- In: {org_id, work_order_id, unit}. Out: {}. Which unit of its service's capacity a visit has. Runs as owner.
update fieldcrm.reservations r set unit = ($1 ->> 'unit')::smallint
where r.org_id = ($1 ->> 'org_id')::uuid and r.work_order_id = ($1 ->> 'work_order_id')::uuid
returning '{}'::jsonb
