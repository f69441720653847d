-- In: {dedupe_key or null}. Out: {session: the caller, id: of the follow-up of their org that has the key, or null}. What is
-- asked again and again is answered here: one statement, no lock, nothing written. And it is what the loser of a
-- race asks: in a statement of its own, since what the winner committed is not in the snapshot of followup/create.sql.
select jsonb_build_object('session', fieldcrm.session(), 'id', (
  select f.id from public.crm_followups f
  where f.org_id = (select fieldcrm.current_org_id()) and f.dedupe_key = $1 ->> 'dedupe_key'))
