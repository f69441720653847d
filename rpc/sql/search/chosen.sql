), chosen as (
  select f.customer_id as id, c.type, c.name, c.first_name, c.last_name, c.company_name, c.email, c.phone, c.status,
    c.lifecycle_stage, c.pipeline_stage, c.source, c.owner_id, c.product_id, c.is_archived, f.created_at, c.updated_at
  from candidates f join public.customers c on c.org_id = ($1 ->> 'org_id')::uuid and c.id = f.customer_id
  where c.is_archived = coalesce((select i.archived from input i), c.is_archived)
    and c.status = coalesce((select i.status from input i), c.status)
    and c.lifecycle_stage = coalesce((select i.lifecycle_stage from input i), c.lifecycle_stage)
    and c.pipeline_stage = coalesce((select i.pipeline_stage from input i), c.pipeline_stage)
    and c.owner_id is not distinct from coalesce((select i.owner_id from input i), c.owner_id)
    and c.product_id is not distinct from coalesce((select i.product_id from input i), c.product_id)
    and ((select i.tag from input i) is null or exists (select from public.crm_customer_tags x
      where x.org_id = ($1 ->> 'org_id')::uuid and x.customer_id = c.id and x.tag_id = (select t.id from tag t)))
    and ((select i.segment_id from input i) is null or exists (select from public.crm_segment_members x
      where x.org_id = ($1 ->> 'org_id')::uuid and x.customer_id = c.id and x.segment_id = (select i.segment_id from input i)))
