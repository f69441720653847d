-- In: {org_id, due_in_minutes, remind_minutes_before or null, priority, to_owner, member_id or null, runs: [{n, customer_id, title,
-- description, dedupe_key}]}. Out: [{id, created, assigned_to_user_id}] in the order of n. Who is no active member is assigned nothing.
with given as materialized (
  select g.*, p.id as assignee
  from jsonb_to_recordset($1 -> 'runs') as g (n integer, customer_id uuid, title text, description text, dedupe_key text)
  left join public.customers c on c.org_id = ($1 ->> 'org_id')::uuid and c.id = g.customer_id
  left join public.profiles p on p.org_id = c.org_id and p.status = 'active' and p.role not in ('portal_customer', 'portal_manager')
    and p.id = case when ($1 ->> 'to_owner')::boolean then c.owner_id else ($1 ->> 'member_id')::uuid end
), due as materialized (
  select now() + make_interval(mins => ($1 ->> 'due_in_minutes')::integer) as at
), made as (
  insert into public.crm_followups (org_id, customer_id, assigned_to_user_id, title, description, due_at, remind_at, priority,
    origin, dedupe_key, created_by_user_id)
  select ($1 ->> 'org_id')::uuid, g.customer_id, g.assignee, g.title, g.description, d.at,
    d.at - make_interval(mins => ($1 ->> 'remind_minutes_before')::integer), ($1 ->> 'priority')::public.followup_priority,
    'system_rule', g.dedupe_key, null
  from given g, due d
  order by g.dedupe_key
  on conflict (org_id, dedupe_key) do nothing
  returning id, dedupe_key, assigned_to_user_id
)
select coalesce(jsonb_agg(jsonb_build_object('id', coalesce(m.id, f.id), 'created', m.id is not null,
  'assigned_to_user_id', case when m.id is null then f.assigned_to_user_id else m.assigned_to_user_id end) order by g.n), '[]')
from given g
left join made m on m.dedupe_key = g.dedupe_key
left join public.crm_followups f on f.org_id = ($1 ->> 'org_id')::uuid and f.dedupe_key = g.dedupe_key
