), holders as (
  -- One branch finds rows, from its own index; chosen.sql looks at the other columns.
  select c.id as customer_id, c.created_at from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.owner_id = (select i.owner_id from input i)
  union all
  select c.id, c.created_at from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.product_id = (select i.product_id from input i)
    and (select i.owner_id from input i) is null
  union all
  select c.id, c.created_at from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.status = (select i.status from input i)
    and (select coalesce(i.owner_id, i.product_id) from input i) is null
  union all
  select c.id, c.created_at from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.lifecycle_stage = (select i.lifecycle_stage from input i)
    and (select coalesce(i.owner_id::text, i.product_id::text, i.status::text) from input i) is null
  union all
  select c.id, c.created_at from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.pipeline_stage = (select i.pipeline_stage from input i)
    and (select coalesce(i.owner_id::text, i.product_id::text, i.status::text, i.lifecycle_stage::text) from input i) is null
  union all
  select c.id, c.created_at from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.is_archived = (select i.archived from input i)
    and (select coalesce(i.owner_id::text, i.product_id::text, i.status::text, i.lifecycle_stage::text, i.pipeline_stage)
      from input i) is null
), candidates as (
  select h.customer_id, h.created_at from holders h
  where (h.created_at, h.customer_id) < ((select i.at from input i), (select i.id from input i))
  order by h.created_at desc, h.customer_id desc
  -- No bound unless there is a depth; a planner that does not know takes it for a tenth, and so starts no compiler (JIT).
  limit (select i.depth from input i)
