-- In: {org_id, customer_ids}. Out: {id: facts}: numbers and words of the company, of each customer. No names, addresses or texts.
select coalesce(jsonb_object_agg(c.id, jsonb_build_object(
  'type', c.type, 'status', c.status, 'lifecycle_stage', c.lifecycle_stage,
  'days_since_created', extract(day from now() - c.created_at)::integer,
  'days_since_last_contact', extract(day from now() - m.last_interaction_at)::integer,
  'days_since_last_visit', extract(day from now() - m.last_service_at)::integer,
  'contacts', coalesce(m.interactions_count, 0), 'positive', coalesce(m.positive_count, 0), 'negative', coalesce(m.negative_count, 0),
  'jobs', coalesce(m.jobs_count, 0), 'open_jobs', coalesce(m.open_jobs_count, 0),
  'total_spend', coalesce(m.total_spend, 0), 'balance_due', coalesce(m.balance_due, 0),
  'tags', (
    select coalesce(jsonb_agg(t.name order by t.name_key), '[]')
    from public.crm_customer_tags x join public.crm_tags t on t.org_id = x.org_id and t.id = x.tag_id
    where x.org_id = c.org_id and x.customer_id = c.id))), '{}')
from public.customers c
left join public.customer_metrics m on m.org_id = c.org_id and m.customer_id = c.id
where c.org_id = ($1 ->> 'org_id')::uuid and c.id = any (array(select x::uuid from jsonb_array_elements_text($1 -> 'customer_ids') x))
