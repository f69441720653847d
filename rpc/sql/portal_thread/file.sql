-- {…, message_id, index}, behind appointment/scope.sql. Out: {bucket_id, object_name, file_name, content_type}, or null: no such message, or not the
-- caller's, or it has no such file.
select jsonb_build_object('bucket_id', 'attachments', 'object_name', f.file ->> 'object_name', 'file_name', f.file ->> 'file_name',
  'content_type', f.file ->> 'content_type')
from public.portal_messages m
join public.portal_threads t on t.org_id = m.org_id and t.customer_id = m.customer_id and t.id = m.thread_id
join scope s on s.customer_id = t.customer_id and (s.whole or t.location_id = any (s.locations))
cross join lateral (select m.attachments -> ($1 ->> 'index')::integer as file) f
where m.org_id = ($1 ->> 'org_id')::uuid and m.id = ($1 ->> 'message_id')::uuid and f.file is not null
