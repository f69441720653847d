-- In: {org_id, id}, a visit that the caller sees. Out: [{type, at, …}], the oldest first; who did it and who the technicians
-- are is left out.
select coalesce(jsonb_agg(jsonb_build_object('type', e.type, 'at', e.created_at) || coalesce(e.new_values - 'technician_id', '{}')
  order by e.created_at, e.id), '[]')
from public.work_order_events e
where e.org_id = ($1 ->> 'org_id')::uuid and e.work_order_id = ($1 ->> 'id')::uuid
