-- In: {org_id, ids}: a customer and the duplicates merged into it. Out: everything about the person.
-- What the company wrote for itself only (internal_notes, a segment's rules) is left out; notes on the person are not.
with person as materialized (
  select ($1 ->> 'org_id')::uuid as org_id, x.id::uuid as id
  from jsonb_array_elements_text($1 -> 'ids') as x (id)
)
select jsonb_build_object(
  'customers', (select coalesce(jsonb_agg(to_jsonb(c) order by c.created_at, c.id), '[]')
    from person p join public.customers c on c.org_id = p.org_id and c.id = p.id),
  'contacts', (select coalesce(jsonb_agg(to_jsonb(x) order by x.created_at, x.id), '[]')
    from person p join public.customer_contacts x on x.org_id = p.org_id and x.customer_id = p.id),
  'locations', (select coalesce(jsonb_agg(to_jsonb(x) order by x.created_at, x.id), '[]')
    from person p join public.customer_locations x on x.org_id = p.org_id and x.customer_id = p.id),
  'preferences', (select coalesce(jsonb_agg(to_jsonb(x) order by x.created_at, x.id), '[]')
    from person p join public.crm_preferences x on x.org_id = p.org_id and x.customer_id = p.id),
  'tags', (select coalesce(jsonb_agg(jsonb_build_object('name', t.name, 'created_at', x.created_at) order by t.name_key), '[]')
    from person p join public.crm_customer_tags x on x.org_id = p.org_id and x.customer_id = p.id
    join public.crm_tags t on t.org_id = x.org_id and t.id = x.tag_id),
  'interactions', (select coalesce(jsonb_agg(to_jsonb(x) order by x.occurred_at, x.id), '[]')
    from person p join public.crm_interactions x on x.org_id = p.org_id and x.customer_id = p.id),
  'followups', (select coalesce(jsonb_agg(to_jsonb(x) order by x.due_at, x.id), '[]')
    from person p join public.crm_followups x on x.org_id = p.org_id and x.customer_id = p.id),
  'work_orders', (select coalesce(jsonb_agg(to_jsonb(x) - 'internal_notes' || jsonb_build_object('events', (
      select coalesce(jsonb_agg(to_jsonb(e) - '{org_id,work_order_id}'::text[] order by e.created_at, e.id), '[]')
      from public.work_order_events e where e.org_id = x.org_id and e.work_order_id = x.id)) order by x.created_at, x.id), '[]')
    from person p join public.work_orders x on x.org_id = p.org_id and x.customer_id = p.id),
  'quotes', (select coalesce(jsonb_agg(to_jsonb(x) order by x.created_at, x.id), '[]')
    from person p join public.quotes x on x.org_id = p.org_id and x.customer_id = p.id),
  'invoices', (select coalesce(jsonb_agg(to_jsonb(x) order by x.created_at, x.id), '[]')
    from person p join public.invoices x on x.org_id = p.org_id and x.customer_id = p.id),
  'documents', (select coalesce(jsonb_agg(to_jsonb(x) order by x.created_at, x.id), '[]')
    from person p join public.documents x on x.org_id = p.org_id and x.customer_id = p.id),
  'attachments', (select coalesce(jsonb_agg(to_jsonb(x) order by x.created_at, x.id), '[]')
    from person p join public.attachments x on x.org_id = p.org_id and x.customer_id = p.id),
  'segments', (select coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'score', x.score, 'metadata', x.metadata,
      'created_at', x.created_at) order by s.name), '[]')
    from person p join public.crm_segment_members x on x.org_id = p.org_id and x.customer_id = p.id
    join public.crm_segments s on s.org_id = x.org_id and s.id = x.segment_id),
  'metrics', (select coalesce(jsonb_agg(to_jsonb(x) order by x.customer_id), '[]')
    from person p join public.customer_metrics x on x.org_id = p.org_id and x.customer_id = p.id),
  'access_log', (select coalesce(jsonb_agg(jsonb_build_object('operation', x.operation, 'user_id', x.user_id,
      'created_at', x.created_at) order by x.created_at, x.id), '[]')
    from person p join public.crm_access_log x on x.org_id = p.org_id and x.customer_id = p.id),
  'audit_log', (select coalesce(jsonb_agg(jsonb_build_object('table_name', x.table_name, 'record_id', x.record_id,
      'action', x.action, 'user_id', x.user_id, 'created_at', x.created_at) order by x.created_at, x.id), '[]')
    from person p join public.audit_log x on x.org_id = p.org_id and x.customer_id = p.id),
  'leads', (select coalesce(jsonb_agg(to_jsonb(x) || jsonb_build_object('messages', (
      select coalesce(jsonb_agg(to_jsonb(m) - '{org_id,client_id,lead_id,outbox_id}'::text[] order by m.created_at, m.id), '[]')
      from public.messages m where m.org_id = x.org_id and m.lead_id = x.id and m.message_type <> 'internal')) order by x.created_at, x.id), '[]')
    from person p join public.leads x on x.org_id = p.org_id and x.customer_id = p.id))
