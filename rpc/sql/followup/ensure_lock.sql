-- In: {dedupe_key}. Out: {session: the caller, first: whether nobody was before}. Of those who come for a new key at once one
-- makes it, and the others wait here until it ends, all for the same lock and so not for each other. Without it each would
-- come as far as the unique key, with all that an insert asks and the triggers that run for no row, too. What decides is
-- still the key.
select jsonb_build_object('session', c.session, 'first',
  case when pg_try_advisory_xact_lock(k.id) then true else pg_advisory_xact_lock_shared(k.id) is null end)
from (select fieldcrm.session() as session) c
cross join lateral (select hashtextextended(concat_ws(':', 'fieldcrm.followup', c.session ->> 'org_id', $1 ->> 'dedupe_key'), 0)) as k (id)
