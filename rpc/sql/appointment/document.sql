-- {…, id}, behind scope.sql. Out: {id, bucket_id, object_name, file_name, content_type}, or null: no such document, or not shown to the caller,
-- or without a file.
select jsonb_build_object('id', d.id, 'bucket_id', f.bucket_id, 'object_name', f.object_name, 'file_name', f.file_name,
  'content_type', f.content_type)
from public.documents d
join public.attachments f on f.org_id = d.org_id and f.customer_id = d.customer_id and f.id = d.attachment_id
join scope s on s.customer_id = d.customer_id
where d.org_id = ($1 ->> 'org_id')::uuid and d.id = ($1 ->> 'id')::uuid and d.is_customer_visible
  and (s.whole or exists (select from public.work_orders w
    where w.org_id = d.org_id and w.id = d.work_order_id and w.location_id = any (s.locations)))
