-- In: {org_id, project_id}. Out: {locked}. Who hands out the leads of a project takes turns, until the transaction ends. A
-- statement of its own, so that the next one sees whom the one before gave some. New leads do not wait for this lock.
select jsonb_build_object('locked', true)
from public.projects p
where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'project_id')::uuid
for no key update
