-- In: {org_id}. Runs as owner. Changes of the members of one org take turns: of two owners who
-- remove each other one comes second and is refused.
select '{}'::jsonb from public.orgs o where o.id = ($1 ->> 'org_id')::uuid for update
