-- In: {technician_ids, wait}. Out: whether all of them are the caller's to book, until the end of the (sub)transaction; the lock is
-- that of fieldcrm.book_technician(), in its order. What is read under it needs a statement of its own.
select to_jsonb(bool_and(case when ($1 ->> 'wait')::boolean then pg_advisory_xact_lock(k.key) is not null
  else pg_try_advisory_xact_lock(k.key) end))
from (
  select hashtextextended('fieldcrm.technician:' || x.id, 0) as key
  from (select distinct g::uuid as id from jsonb_array_elements_text($1 -> 'technician_ids') as g) x
  order by x.id
) k
