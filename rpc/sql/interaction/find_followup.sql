-- In: {org_id, id}: of an interaction. Out: the follow-up that the database made of it, or null.
-- A statement of its own, after the one that logged: the trigger runs at the end of that one.
select to_jsonb(f)
from public.crm_followups f
where f.org_id = ($1 ->> 'org_id')::uuid and f.dedupe_key = 'interaction:' || ($1 ->> 'id')
