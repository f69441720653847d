-- In: {org_id, user_id or null, any_customer: whether the caller may follow up customers of others, followup},
-- prepared by core. Out: {customer, own, assignee, interaction, work_order: whether each is fine, followup: the row, or
-- null if one is not or the dedupe_key is taken}.
with given as materialized (
  select g.*
  from jsonb_to_record($1 -> 'followup') as g (customer_id uuid, title text, due_at timestamptz, description text,
    priority public.followup_priority, assigned_to_user_id uuid, related_interaction_id uuid, related_work_order_id uuid,
    dedupe_key text, remind_at timestamptz, origin public.followup_origin)
), checked as materialized (
  select c.id is not null as customer,
    ($1 ->> 'any_customer')::boolean or coalesce(c.owner_id = ($1 ->> 'user_id')::uuid, false) as own,
    g.assigned_to_user_id is null or exists (select from public.profiles p
      where p.org_id = ($1 ->> 'org_id')::uuid and p.id = g.assigned_to_user_id and p.status = 'active'
        and p.role not in ('portal_customer', 'portal_manager')) as assignee,
    g.related_interaction_id is null or exists (select from public.crm_interactions i
      where i.org_id = c.org_id and i.customer_id = c.id and i.id = g.related_interaction_id) as interaction,
    g.related_work_order_id is null or exists (select from public.work_orders w
      where w.org_id = c.org_id and w.customer_id = c.id and w.id = g.related_work_order_id) as work_order
  from given g
  left join public.customers c on c.org_id = ($1 ->> 'org_id')::uuid and c.id = g.customer_id
), made as (
  insert into public.crm_followups (org_id, customer_id, assigned_to_user_id, title, description, due_at, priority,
    dedupe_key, related_interaction_id, related_work_order_id, remind_at, origin, created_by_user_id)
  select ($1 ->> 'org_id')::uuid, g.customer_id, g.assigned_to_user_id, g.title, g.description, g.due_at, g.priority,
    g.dedupe_key, g.related_interaction_id, g.related_work_order_id, g.remind_at, g.origin, ($1 ->> 'user_id')::uuid
  from given g, checked k
  where k.customer and k.own and k.assignee and k.interaction and k.work_order
  on conflict (org_id, dedupe_key) do nothing
  returning *
)
select to_jsonb(k) || jsonb_build_object('followup', (select to_jsonb(m) from made m)) from checked k
