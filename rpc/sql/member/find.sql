-- In: {org_id, user_id}. Out: {role} or null. Runs as owner, after member/lock.sql and in a
-- statement of its own, so that it sees what the holder of the lock before us did.
select jsonb_build_object('role', p.role)
from public.profiles p
where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'user_id')::uuid
