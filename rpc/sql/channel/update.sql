-- In: {org_id, id, set: columns}. Out: the row.
update public.org_channels c
set (client_id, project_id, secret_name, settings, is_enabled) = (
  select n.client_id, n.project_id, n.secret_name, n.settings, n.is_enabled from jsonb_populate_record(c, $1 -> 'set') n)
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
returning to_jsonb(c)
