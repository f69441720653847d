-- In: {org_id, owner_id or null, product_id or null, tags}. Out: {owner_ok, product, unknown_tags}.
select jsonb_build_object(
  'owner_ok', exists (select from public.profiles p
    where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'owner_id')::uuid and p.status = 'active'
      and p.role not in ('portal_customer', 'portal_manager')),
  'product', (select jsonb_build_object('id', p.id, 'name', p.name) from public.products p
    where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'product_id')::uuid),
  'unknown_tags', coalesce((
    select jsonb_agg(g) from jsonb_array_elements_text($1 -> 'tags') g
    where not exists (select from public.crm_tags t
      where t.org_id = ($1 ->> 'org_id')::uuid and t.name_key = lower(g))), '[]'))
