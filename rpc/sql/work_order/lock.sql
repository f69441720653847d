-- In: {org_id, id, technician_id or null}. Out: {status}, or null: no such work order, or not of that technician.
-- Runs as owner. Two changes of one work order take turns.
select jsonb_build_object('status', w.status)
from public.work_orders w
where w.org_id = ($1 ->> 'org_id')::uuid and w.id = ($1 ->> 'id')::uuid
  and ($1 ->> 'technician_id' is null or w.technician_id = ($1 ->> 'technician_id')::uuid)
for update
