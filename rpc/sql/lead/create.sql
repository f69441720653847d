-- In: {org_id, client_id, project_id, user_id or null, leads: [columns]}, prepared by core. Out: the rows, in their order.
with given as materialized (
  select gen_random_uuid() as id, g.*
  from rows from (jsonb_to_recordset($1 -> 'leads') as (first_name text, last_name text, email text, phone text, phone_raw text,
    status text, source text, notes text, tags jsonb, custom_fields jsonb, customer_id uuid, assigned_to uuid))
    with ordinality as g (first_name, last_name, email, phone, phone_raw, status, source, notes, tags, custom_fields, customer_id,
      assigned_to, n)
), made as (
  insert into public.leads (id, org_id, client_id, project_id, first_name, last_name, email, phone, phone_raw, status, source,
    notes, tags, custom_fields, customer_id, assigned_to, created_by_user_id)
  select g.id, ($1 ->> 'org_id')::uuid, ($1 ->> 'client_id')::uuid, ($1 ->> 'project_id')::uuid, g.first_name, g.last_name,
    g.email, g.phone, g.phone_raw, coalesce(g.status, 'new'), g.source, g.notes, coalesce(g.tags, '[]'),
    coalesce(g.custom_fields, '{}'), g.customer_id, g.assigned_to, ($1 ->> 'user_id')::uuid
  from given g
  order by g.n
  returning *
)
select coalesce(jsonb_agg(to_jsonb(m) order by g.n), '[]') from given g join made m using (id)
