-- In: {org_id, customer_id, user_id or null, assigned_to_user_id or null, suggestions}, of core. Out: the keys of those that are new.
-- They are due at nine in the morning, by the org's clock.
with made as (
  insert into public.crm_followups (org_id, customer_id, assigned_to_user_id, title, description, due_at, priority, origin,
    dedupe_key, related_interaction_id, related_work_order_id, evidence, created_by_user_id)
  select o.id, ($1 ->> 'customer_id')::uuid, ($1 ->> 'assigned_to_user_id')::uuid, g.title, g.description,
    (g.due_on + time '09:00') at time zone o.time_zone, g.priority, 'ai_recommendation', g.dedupe_key, g.related_interaction_id,
    g.related_work_order_id, g.evidence, ($1 ->> 'user_id')::uuid
  from jsonb_to_recordset($1 -> 'suggestions') as g (title text, description text, due_on date, priority public.followup_priority,
    dedupe_key text, related_interaction_id uuid, related_work_order_id uuid, evidence jsonb)
  join public.orgs o on o.id = ($1 ->> 'org_id')::uuid
  -- Two calls at once wait for each other's keys in the same order.
  order by g.dedupe_key
  on conflict (org_id, dedupe_key) do nothing
  returning dedupe_key
)
select coalesce(jsonb_agg(m.dedupe_key), '[]') from made m
