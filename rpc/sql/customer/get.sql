-- In: {org_id, id}. Out: the customer with its children nested, as customer/create.sql has it, or null.
select to_jsonb(c) || jsonb_build_object(
  'contacts', coalesce((
    select jsonb_agg(to_jsonb(x) order by x.is_primary desc, x.created_at, x.id) from public.customer_contacts x
    where x.org_id = c.org_id and x.customer_id = c.id), '[]'),
  'locations', coalesce((
    select jsonb_agg(to_jsonb(x) order by x.is_primary desc, x.created_at, x.id) from public.customer_locations x
    where x.org_id = c.org_id and x.customer_id = c.id), '[]'),
  'preferences', (select to_jsonb(p) from public.crm_preferences p where p.org_id = c.org_id and p.customer_id = c.id),
  'tags', coalesce((
    select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'color', t.color) order by lower(t.name))
    from public.crm_customer_tags ct join public.crm_tags t on t.org_id = ct.org_id and t.id = ct.tag_id
    where ct.org_id = c.org_id and ct.customer_id = c.id), '[]'))
from public.customers c
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
