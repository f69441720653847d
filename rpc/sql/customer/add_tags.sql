-- In: {org_id, id, user_id, tags: [names]}, all of them known. Out: all tags of the customer, as
-- customer/create.sql has them.
with added as (
  insert into public.crm_customer_tags (org_id, customer_id, tag_id, assigned_by_user_id)
  select distinct t.org_id, ($1 ->> 'id')::uuid, t.id, ($1 ->> 'user_id')::uuid
  from jsonb_array_elements_text($1 -> 'tags') as g (name)
  join public.crm_tags t on t.org_id = ($1 ->> 'org_id')::uuid and t.name_key = lower(g.name)
  on conflict (org_id, customer_id, tag_id) do nothing
  returning tag_id
)
select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'color', t.color) order by lower(t.name))
from (
  select a.tag_id from added a
  union all
  select ct.tag_id from public.crm_customer_tags ct
  where ct.org_id = ($1 ->> 'org_id')::uuid and ct.customer_id = ($1 ->> 'id')::uuid
) x
join public.crm_tags t on t.org_id = ($1 ->> 'org_id')::uuid and t.id = x.tag_id
