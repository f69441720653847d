-- In: {org_id, customer_id, keys, made: those of them that are new}. Out: the follow-ups that have the keys, in their order, each with
-- created. A statement of its own: what another call made meanwhile is not in the snapshot of suggestion/store.sql.
select coalesce(jsonb_agg(to_jsonb(f) || jsonb_build_object('created', ($1 -> 'made') ? f.dedupe_key) order by k.n), '[]')
from jsonb_array_elements_text($1 -> 'keys') with ordinality as k (key, n)
join public.crm_followups f on f.org_id = ($1 ->> 'org_id')::uuid and f.dedupe_key = k.key
where f.customer_id = ($1 ->> 'customer_id')::uuid
