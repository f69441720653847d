-- In: {org_id, suggestions}, of core. Out: the same in their order, as actions: [{rule, subject, description, reason, priority, due_at, facts}]. Due as
-- suggestion/store.sql has it.
select coalesce(jsonb_agg(jsonb_build_object('rule', g.evidence -> 'rule', 'subject', g.title, 'description', g.description,
  'reason', g.evidence -> 'reason', 'priority', g.priority, 'due_at', (g.due_on + time '09:00') at time zone o.time_zone,
  'facts', g.evidence -> 'facts') order by g.n), '[]')
from rows from (jsonb_to_recordset($1 -> 'suggestions') as (title text, description text, due_on date, priority text, evidence jsonb))
  with ordinality as g (title, description, due_on, priority, evidence, n)
join public.orgs o on o.id = ($1 ->> 'org_id')::uuid
