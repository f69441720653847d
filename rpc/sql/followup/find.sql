-- In: {org_id, id}. Out: {id}, or null if the caller does not see it.
select jsonb_build_object('id', f.id)
from public.crm_followups f
where f.org_id = ($1 ->> 'org_id')::uuid and f.id = ($1 ->> 'id')::uuid
