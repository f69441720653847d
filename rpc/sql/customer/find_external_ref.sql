-- In: {org_id, external_ref}. Out: {id}.
select jsonb_build_object('id', c.id)
from public.customers c
where c.org_id = ($1 ->> 'org_id')::uuid and c.external_ref = $1 ->> 'external_ref'
