-- In: {org_id, id, operation: the RPC that reads the details, or null if that is no reading of its own, user_id or null}.
-- Out: the customer with its children nested, as customer::create has it, or null. Who looked is written down in the same
-- statement: details that cannot be noted are not shown.
with customer as materialized (
  select c.* from public.customers c where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'id')::uuid
), noted as (
  insert into public.crm_access_log (org_id, customer_id, operation, user_id, request_id, ip, user_agent)
  select c.org_id, c.id, $1 ->> 'operation', ($1 ->> 'user_id')::uuid, r.request_id, r.ip, r.user_agent
  from customer c, fieldcrm.request_context() r
  where $1 ->> 'operation' is not null
)
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
    where ct.org_id = c.org_id and ct.customer_id = c.id), '[]'),
  'product', (select jsonb_build_object('id', p.id, 'name', p.name) from public.products p
    where p.org_id = c.org_id and p.id = c.product_id),
  'recent_interactions', coalesce((
    select jsonb_agg(to_jsonb(x) order by x.occurred_at desc, x.id desc) from (
      select i.* from public.crm_interactions i where i.org_id = c.org_id and i.customer_id = c.id
      order by i.occurred_at desc, i.id desc limit 10) x), '[]'),
  'upcoming_followups', coalesce((
    select jsonb_agg(to_jsonb(x) order by x.due_at, x.id) from (
      select f.* from public.crm_followups f where f.org_id = c.org_id and f.customer_id = c.id and f.status = 'pending'
      order by f.due_at, f.id limit 10) x), '[]'),
  'metrics', (
    select jsonb_build_object('interactions_count', coalesce(m.interactions_count, 0),
      'positive_count', coalesce(m.positive_count, 0), 'neutral_count', coalesce(m.neutral_count, 0),
      'negative_count', coalesce(m.negative_count, 0), 'last_interaction_at', m.last_interaction_at,
      'jobs_count', coalesce(m.jobs_count, 0), 'open_jobs_count', coalesce(m.open_jobs_count, 0),
      'last_service_at', m.last_service_at, 'total_spend', coalesce(m.total_spend, 0.00),
      'balance_due', coalesce(m.balance_due, 0.00))
    from (values (c.org_id, c.id)) as k (org_id, id)
    left join public.customer_metrics m on m.org_id = k.org_id and m.customer_id = k.id))
from customer c
