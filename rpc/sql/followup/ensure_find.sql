-- In: {dedupe_key}. Out: the id of the follow-up of the caller's org that has the key, or null: also where the caller may not make
-- follow-ups. What is asked again and again is answered here: one statement, no lock, nothing written. And it is what the
-- loser of a race asks: a statement of its own, since what the winner committed is not in the snapshot of followup/create.sql.
select to_json(f.id)
from public.crm_followups f
where f.org_id = (select fieldcrm.current_org_id()) and f.dedupe_key = $1 ->> 'dedupe_key'
  and (select fieldcrm.has_capability('followups.write') or fieldcrm.has_capability('followups.write_own'))
