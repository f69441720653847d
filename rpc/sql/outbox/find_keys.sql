-- In: {org_id, keys: [dedupe_key]}. Out: [{dedupe_key, id, status, code, reason, available_at}]: the messages that have them.
-- A statement of its own: what another session committed is not in the snapshot of outbox/insert.sql.
select coalesce(json_agg(json_build_object('dedupe_key', o.dedupe_key, 'id', o.id, 'status', o.status,
  'code', o.decision_code, 'reason', o.decision_reason, 'available_at', o.available_at)), '[]')
from public.crm_outbox o
where o.org_id = ($1 ->> 'org_id')::uuid and o.dedupe_key in (select jsonb_array_elements_text($1 -> 'keys'))
