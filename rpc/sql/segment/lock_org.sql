-- In: {org_id}. Out: nothing. Two edits that each close half of a cycle take turns.
select to_jsonb(true) from (select pg_advisory_xact_lock(hashtextextended('fieldcrm.segments:' || ($1 ->> 'org_id'), 0))) x
