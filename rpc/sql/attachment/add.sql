-- In: {org_id, interactions: [{id, attachments: metadata.attachments of what it says}]}. Out: {}. What the customer sent with it, as far as it
-- is stored; an object is one row, however often it is told of.
with added as (
  insert into public.attachments (org_id, customer_id, interaction_id, object_name, file_name, content_type, size_bytes, created_by_user_id)
  select i.org_id, i.customer_id, i.id, f.x ->> 'object_name', f.x ->> 'file_name', f.x ->> 'content_type', (f.x ->> 'size_bytes')::bigint, null
  from jsonb_to_recordset($1 -> 'interactions') as g (id uuid, attachments jsonb)
  join public.crm_interactions i on i.org_id = ($1 ->> 'org_id')::uuid and i.id = g.id
  cross join lateral jsonb_path_query(g.attachments, '$[*] ? (@.object_name.type() == "string")') as f (x)
  where starts_with(f.x ->> 'object_name', i.org_id || '/inbound/')
  order by f.x ->> 'object_name'
  on conflict (bucket_id, object_name) do nothing
)
select '{}'::jsonb
