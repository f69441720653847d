-- In: {org_id}. Out: {}. Imports of one org take turns, until the transaction ends: e-mails and phones that
-- tell customers apart have no unique index. A statement of its own, so that the next one sees what the
-- other import committed.
select '{}'::jsonb from pg_advisory_xact_lock(hashtextextended('fieldcrm.import:' || ($1 ->> 'org_id'), 0))
