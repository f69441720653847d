-- In: {org_id, user_id or null, endpoint}, prepared by core. Out: the row; null if the org has the URL already.
insert into public.webhook_endpoints as x (org_id, url, event_types, description, is_enabled, created_by_user_id)
select ($1 ->> 'org_id')::uuid, e.url, array(select jsonb_array_elements_text(e.event_types)), e.description, e.is_enabled,
  ($1 ->> 'user_id')::uuid
from jsonb_to_record($1 -> 'endpoint') as e (url text, event_types jsonb, description text, is_enabled boolean)
on conflict (org_id, url) do nothing
returning to_jsonb(x)
