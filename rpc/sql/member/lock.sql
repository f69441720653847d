-- In: {org_id}. Runs as owner. Changes of the members of one org take turns: of two owners who
-- remove each other one comes second and is refused. Foreign keys to the org do not wait for it.
select '{}'::jsonb from public.orgs o where o.id = ($1 ->> 'org_id')::uuid for no key update
