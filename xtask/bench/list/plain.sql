select id, type, name, first_name, last_name, company_name, email, phone, status, lifecycle_stage, pipeline_stage, source, owner_id,
  product_id, is_archived, created_at, updated_at
from public.customers where org_id = '11111111-1111-4111-8111-111111111111' and is_archived = false
order by created_at desc, id desc limit 50;
