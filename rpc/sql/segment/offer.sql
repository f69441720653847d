-- In: {org_id}. Out: {tags, products, segments}, what rules of the org can name.
select jsonb_build_object(
  'tags', (select coalesce(jsonb_agg(t.name order by t.name_key), '[]') from public.crm_tags t
    where t.org_id = ($1 ->> 'org_id')::uuid),
  'products', (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name) order by p.name_key), '[]')
    from public.products p where p.org_id = ($1 ->> 'org_id')::uuid),
  'segments', (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'type', s.type) order by s.name), '[]')
    from public.crm_segments s where s.org_id = ($1 ->> 'org_id')::uuid))
