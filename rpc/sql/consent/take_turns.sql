-- In: {customers: [id]}. Out: [id]: those whose marketing this transaction may hand out. Two that count towards one cap are
-- not handed out at the same time by two sessions that do not see each other's; who comes second leaves it for later.
select coalesce(json_agg(x.id), '[]')
from jsonb_array_elements_text($1 -> 'customers') as x (id)
where pg_try_advisory_xact_lock(hashtextextended('fieldcrm.marketing:' || x.id, 0))
