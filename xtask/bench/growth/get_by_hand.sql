\set n random(1, :customers)
select to_jsonb(c) || jsonb_build_object(
  'contacts', coalesce((select jsonb_agg(x) from public.customer_contacts x where x.org_id = c.org_id and x.customer_id = c.id), '[]'),
  'locations', coalesce((select jsonb_agg(x) from public.customer_locations x where x.org_id = c.org_id and x.customer_id = c.id), '[]'),
  'preferences', (select to_jsonb(p) from public.crm_preferences p where p.org_id = c.org_id and p.customer_id = c.id),
  'tags', coalesce((
    select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'color', t.color) order by t.name)
    from public.crm_customer_tags ct join public.crm_tags t on t.org_id = ct.org_id and t.id = ct.tag_id
    where ct.org_id = c.org_id and ct.customer_id = c.id), '[]'),
  'recent_interactions', coalesce((
    select jsonb_agg(x order by x.occurred_at desc) from (
      select i.* from public.crm_interactions i where i.org_id = c.org_id and i.customer_id = c.id
      order by i.occurred_at desc, i.id desc limit 10) x), '[]'),
  'upcoming_followups', coalesce((
    select jsonb_agg(x order by x.due_at) from (
      select f.* from public.crm_followups f where f.org_id = c.org_id and f.customer_id = c.id and f.status = 'pending'
      order by f.due_at, f.id limit 10) x), '[]'),
  'metrics', (select to_jsonb(m) from public.customer_metrics m where m.org_id = c.org_id and m.customer_id = c.id))
from public.customers c
where c.org_id = '11111111-1111-4111-8111-111111111111' and c.id = md5('segment bench ' || :n)::uuid;
