-- In: {org_id, user_id or null, channel}, prepared by core. Out: the row; null if the address is taken, by any org.
insert into public.org_channels as x (org_id, channel, address, client_id, project_id, is_enabled, secret_name, settings,
  created_by_user_id)
select ($1 ->> 'org_id')::uuid, c.channel, c.address, c.client_id, c.project_id, c.is_enabled, c.secret_name, c.settings,
  ($1 ->> 'user_id')::uuid
from jsonb_to_record($1 -> 'channel') as c (channel text, address text, client_id uuid, project_id uuid, is_enabled boolean,
  secret_name text, settings jsonb)
on conflict (channel, address) do nothing
returning to_jsonb(x)
