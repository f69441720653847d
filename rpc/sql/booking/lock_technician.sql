-- In: {technician_ids, wait, org_id and service_type or nothing}. Out: whether all of them are the caller's to book, until the end of
-- the (sub)transaction; the lock is that of fieldcrm.book_technician(), in its order, and after it that of the type of service, where it
-- has a capacity: two who take its units would wait for each other. What is read under it needs a statement of its own.
select to_jsonb(bool_and(case when ($1 ->> 'wait')::boolean then pg_advisory_xact_lock(k.key) is not null
  else pg_try_advisory_xact_lock(k.key) end))
from (
  select hashtextextended(x.kind || x.id::text, 0) as key
  from (
    select distinct 'fieldcrm.technician:' as kind, 1 as place, g::uuid as id from jsonb_array_elements_text($1 -> 'technician_ids') as g
    union all
    select 'fieldcrm.service_type:', 2, s.id from public.service_types s
    where s.org_id = ($1 ->> 'org_id')::uuid and s.code = $1 ->> 'service_type' and s.capacity is not null
  ) x
  order by x.place, x.id
) k
