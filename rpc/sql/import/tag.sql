-- In: {org_id, user_id, customers: [{id, tags: [names]}]}, tags known. Out: {}.
with tagged as (
  insert into public.crm_customer_tags (org_id, customer_id, tag_id, assigned_by_user_id)
  select t.org_id, g.id, t.id, ($1 ->> 'user_id')::uuid
  from jsonb_to_recordset($1 -> 'customers') as g (id uuid, tags jsonb)
  cross join lateral jsonb_array_elements_text(g.tags) as x (name)
  join public.crm_tags t on t.org_id = ($1 ->> 'org_id')::uuid and t.name_key = lower(x.name)
  on conflict (org_id, customer_id, tag_id) do nothing
)
select '{}'::jsonb
