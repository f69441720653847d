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
  'booking_requests', (select coalesce(jsonb_agg(to_jsonb(x) - '{technician_id,reviewed_by_user_id,dedupe_key}'::text[] order by x.created_at, x.id), '[]')
    from person p join public.portal_booking_requests x on x.org_id = p.org_id and x.customer_id = p.id),
  'visit_plans', (select coalesce(jsonb_agg(to_jsonb(x) order by x.created_at, x.id), '[]')
    from person p join public.visit_plans x on x.org_id = p.org_id and x.customer_id = p.id),
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
  'messages', (select coalesce(jsonb_agg(jsonb_build_object('id', x.id, 'channel', x.channel, 'purpose', x.purpose, 'to_address', x.to_address,
      'subject', x.subject, 'body', x.body, 'payload', x.payload, 'status', x.status, 'decision_code', x.decision_code,
      'decision_reason', x.decision_reason, 'scheduled_at', x.scheduled_at, 'sent_at', x.sent_at, 'delivered_at', x.delivered_at,
      'created_at', x.created_at) order by x.created_at, x.id), '[]')
    from person p join public.crm_outbox x on x.org_id = p.org_id and x.customer_id = p.id),
  'opt_outs', (select coalesce(jsonb_agg(distinct jsonb_build_object('channel', x.channel, 'address', x.address, 'reason', x.reason,
      'created_at', x.created_at)), '[]')
    from person p join public.customer_contacts c on c.org_id = p.org_id and c.customer_id = p.id
    join public.crm_opt_outs x on x.org_id = c.org_id and x.address = c.value),
  'portal_accounts', (select coalesce(jsonb_agg(to_jsonb(x) || jsonb_build_object('preferences', (
      select to_jsonb(n) from public.portal_notification_preferences n where n.org_id = x.org_id and n.portal_account_id = x.id),
      'events', (select coalesce(jsonb_agg(jsonb_build_object('event_type', e.event_type, 'event_payload', e.event_payload,
          'ip_address', e.ip_address, 'user_agent', e.user_agent, 'occurred_at', e.occurred_at) order by e.occurred_at, e.id), '[]')
        from public.portal_audit_events e where e.org_id = x.org_id and e.portal_account_id = x.id),
      'profile', (select jsonb_build_object('email', r.email, 'full_name', r.full_name, 'phone', r.phone, 'avatar_url', r.avatar_url)
        from public.profiles r where r.org_id = x.org_id and r.id = x.user_id)) order by x.created_at, x.id), '[]')
    from person p join public.portal_accounts x on x.org_id = p.org_id and x.customer_id = p.id),
  -- That somebody else was let see them; who, is for that one's export.
  'portal_access', (select coalesce(jsonb_agg(jsonb_build_object('location_id', x.location_id, 'created_at', x.created_at)
      order by x.created_at, x.id), '[]')
    from person p join public.portal_account_access x on x.org_id = p.org_id and x.customer_id = p.id),
  'portal_invites', (select coalesce(jsonb_agg(jsonb_build_object('email', x.email, 'role', x.role, 'expires_at', x.expires_at,
      'used_at', x.used_at, 'revoked_at', x.revoked_at, 'created_at', x.created_at) order by x.created_at, x.id), '[]')
    from person p join public.portal_invites x on x.org_id = p.org_id and x.customer_id = p.id),
  'portal_threads', (select coalesce(jsonb_agg(to_jsonb(x) || jsonb_build_object('messages', (
      select coalesce(jsonb_agg(to_jsonb(m) - '{org_id,customer_id,thread_id,dedupe_key}'::text[] order by m.sent_at, m.id), '[]')
      from public.portal_messages m where m.org_id = x.org_id and m.customer_id = x.customer_id and m.thread_id = x.id)) order by x.created_at, x.id), '[]')
    from person p join public.portal_threads x on x.org_id = p.org_id and x.customer_id = p.id),
  'portal_ai_conversations', (select coalesce(jsonb_agg(to_jsonb(x) || jsonb_build_object('messages', (
      select coalesce(jsonb_agg(to_jsonb(m) - '{org_id,conversation_id}'::text[] order by m.created_at, m.id), '[]')
      from public.portal_ai_messages m where m.org_id = x.org_id and m.conversation_id = x.id)) order by x.started_at, x.id), '[]')
    from person p join public.portal_ai_conversations x on x.org_id = p.org_id and x.customer_id = p.id),
  'warranties', (select coalesce(jsonb_agg(to_jsonb(x) order by x.created_at, x.id), '[]')
    from person p join public.warranties x on x.org_id = p.org_id and x.customer_id = p.id),
  'memberships', (select coalesce(jsonb_agg(to_jsonb(x) || jsonb_build_object('plan', l.name) order by x.created_at, x.id), '[]')
    from person p join public.customer_memberships x on x.org_id = p.org_id and x.customer_id = p.id
    join public.membership_plans l on l.org_id = x.org_id and l.id = x.membership_plan_id),
  'automation_runs', (select coalesce(jsonb_agg(jsonb_build_object('rule', r.name, 'status', x.status, 'due_at', x.due_at,
      'trigger_context', x.trigger_context, 'matched', x.matched, 'results', x.results, 'skip_reason', x.skip_reason,
      'started_at', x.started_at, 'completed_at', x.completed_at) order by x.started_at, x.id), '[]')
    from person p join public.crm_automation_runs x on x.org_id = p.org_id and x.customer_id = p.id
    join public.crm_automation_rules r on r.org_id = x.org_id and r.id = x.rule_id),
  'notifications', (select coalesce(jsonb_agg(jsonb_build_object('type', x.type, 'title', x.title, 'body', x.body, 'data', x.data,
      'created_at', x.created_at) order by x.created_at, x.id), '[]')
    from person p join public.crm_notifications x on x.org_id = p.org_id and x.customer_id = p.id),
  'events', (select coalesce(jsonb_agg(jsonb_build_object('event_type', x.event_type, 'payload', x.payload,
      'occurred_at', x.occurred_at) order by x.occurred_at, x.id), '[]')
    from person p join public.crm_events x on x.org_id = p.org_id and x.customer_id = p.id),
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
