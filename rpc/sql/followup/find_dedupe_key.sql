-- In: {org_id, dedupe_key}. Out: the follow-up that has the key, or null. A statement of its own: what the other
-- session committed is not in the snapshot of followup/create.sql.
select to_jsonb(f)
from public.crm_followups f
where f.org_id = ($1 ->> 'org_id')::uuid and f.dedupe_key = $1 ->> 'dedupe_key'
