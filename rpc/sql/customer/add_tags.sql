-- In: {org_id, id, user_id, tags: [names]}. Out: all tags of the customer, as customer/create.sql has them.
-- The names are made in one order by every session, so that two sessions do not wait for each other.
with new_tags as (
  insert into public.crm_tags as t (org_id, name)
  select ($1 ->> 'org_id')::uuid, g.name from jsonb_array_elements_text($1 -> 'tags') as g (name)
  order by lower(g.name)
  -- Do update, not do nothing: it also returns the row of a session that was faster. Not of a key
  -- column: that would take a lock which collides with the foreign keys of the others.
  on conflict (org_id, name_key) do update set color = t.color
  returning id, name, color
), tagged as (
  insert into public.crm_customer_tags (org_id, customer_id, tag_id, assigned_by_user_id)
  select ($1 ->> 'org_id')::uuid, ($1 ->> 'id')::uuid, n.id, ($1 ->> 'user_id')::uuid from new_tags n
)
select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'color', t.color) order by lower(t.name))
from (
  select n.id, n.name, n.color from new_tags n
  union all
  select k.id, k.name, k.color
  from public.crm_customer_tags ct join public.crm_tags k on k.org_id = ct.org_id and k.id = ct.tag_id
  where ct.org_id = ($1 ->> 'org_id')::uuid and ct.customer_id = ($1 ->> 'id')::uuid
) t
