-- In: {org_id, user_id, owner_id (null: of everybody), customer_ids, add, remove (all of add known)}. Out: {tagged, untagged,
-- not_found}. In the order of the ids, so that two calls do not wait for each other.
with given as materialized (
  select distinct g.id::uuid as id from jsonb_array_elements_text($1 -> 'customer_ids') as g (id)
), known as materialized (
  select c.id from given g join public.customers c on c.org_id = ($1 ->> 'org_id')::uuid and c.id = g.id
  where $1 ->> 'owner_id' is null or c.owner_id = ($1 ->> 'owner_id')::uuid
), tagged as (
  insert into public.crm_customer_tags (org_id, customer_id, tag_id, assigned_by_user_id)
  select ($1 ->> 'org_id')::uuid, k.id, t.id, ($1 ->> 'user_id')::uuid
  from known k, jsonb_array_elements_text($1 -> 'add') as g (name)
  join public.crm_tags t on t.org_id = ($1 ->> 'org_id')::uuid and t.name_key = lower(g.name)
  order by k.id, t.id
  on conflict (org_id, customer_id, tag_id) do nothing
  returning 1
), untagged as (
  delete from public.crm_customer_tags x
  using known k, jsonb_array_elements_text($1 -> 'remove') as g (name)
  join public.crm_tags t on t.org_id = ($1 ->> 'org_id')::uuid and t.name_key = lower(g.name)
  where x.org_id = ($1 ->> 'org_id')::uuid and x.customer_id = k.id and x.tag_id = t.id
  returning 1
)
select jsonb_build_object('tagged', (select count(*) from tagged), 'untagged', (select count(*) from untagged),
  'not_found', coalesce((select jsonb_agg(g.id order by g.id) from given g where g.id not in (select k.id from known k)), '[]'))
