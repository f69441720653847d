-- In: {org_id, user_id or null, client}, prepared by core. Out: the row; who made it is its admin by a trigger, at the
-- end of the statement.
insert into public.clients (org_id, name, description, status, contact_info, settings, created_by_user_id)
select ($1 ->> 'org_id')::uuid, c.name, c.description, c.status, c.contact_info, c.settings, ($1 ->> 'user_id')::uuid
from jsonb_to_record($1 -> 'client') as c (name text, description text, status text, contact_info jsonb, settings jsonb)
returning to_jsonb(clients)
