-- In: {org_id, customer_id, user_id or null, any_customer: whether the caller may follow up customers of others}. Out: {customer: true,
-- own, closed: whether the customer was erased or merged, merged_into_id, assignee: the customer's owner, or else the caller,
-- visit_plans: [{id, title, rrule, starts_on}], facts: as core reads them, but for the visit plans}; null if the caller does not see the
-- customer. Quotes and invoices: 20 each.
with c as materialized (
  select c.*, o.time_zone, o.currency, (now() at time zone o.time_zone)::date as today
  from public.customers c join public.orgs o on o.id = c.org_id
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = ($1 ->> 'customer_id')::uuid
), visit as materialized (
  select w.id, (w.completed_at at time zone c.time_zone)::date as day
  from c join public.work_orders w on w.org_id = c.org_id and w.customer_id = c.id
  where w.status = 'completed' and w.completed_at is not null
  order by w.completed_at desc, w.id limit 1
), said as materialized (
  select i.id, (i.occurred_at at time zone c.time_zone)::date as day
  from c join public.crm_interactions i on i.org_id = c.org_id and i.customer_id = c.id
  where i.direction is distinct from 'system_generated' and i.occurred_at <= now()
  order by i.occurred_at desc, i.id limit 1
), felt as materialized (
  select i.id, i.sentiment, i.occurred_at, (i.occurred_at at time zone c.time_zone)::date as day
  from c join public.crm_interactions i on i.org_id = c.org_id and i.customer_id = c.id
  where i.sentiment is not null and (i.direction is null or i.direction = 'inbound') and i.occurred_at <= now()
  order by i.occurred_at desc, i.id limit 1
), quotes as materialized (
  select q.id, q.number, q.total::text, (q.created_at at time zone c.time_zone)::date as made_on,
    case q.status when 'sent' then (coalesce(q.sent_at, q.created_at) at time zone c.time_zone)::date end as sent_on, q.valid_until
  from c join public.quotes q on q.org_id = c.org_id and q.customer_id = c.id
  where q.status in ('draft', 'sent')
    and (coalesce(q.sent_at, q.created_at) > now() - interval '92 days' or q.valid_until >= c.today)
  order by q.created_at, q.id limit 20
), invoices as materialized (
  select i.id, i.number, (i.total - i.amount_paid)::text as open, (i.due_at at time zone c.time_zone)::date as due_on
  from c join public.invoices i on i.org_id = c.org_id and i.customer_id = c.id
  where i.status = 'sent' and i.total > i.amount_paid and (i.due_at at time zone c.time_zone)::date < c.today
  order by i.due_at, i.id limit 20
)
select jsonb_build_object('customer', true,
  'own', ($1 ->> 'any_customer')::boolean or coalesce(c.owner_id = ($1 ->> 'user_id')::uuid, false),
  'closed', c.erased_at is not null or c.merged_into_id is not null, 'merged_into_id', c.merged_into_id,
  'assignee', (select p.id from public.profiles p
    where p.org_id = c.org_id and p.id in (c.owner_id, ($1 ->> 'user_id')::uuid) and p.status = 'active'
      and p.role not in ('portal_customer', 'portal_manager')
    order by (p.id = c.owner_id) is true desc limit 1),
  'visit_plans', (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'title', p.title, 'rrule', p.rrule, 'starts_on', p.starts_on)
      order by p.id), '[]')
    from public.visit_plans p where p.org_id = c.org_id and p.customer_id = c.id and p.is_active),
  'facts', jsonb_build_object('today', c.today, 'currency', c.currency,
    'customer', jsonb_build_object('id', c.id, 'lifecycle_stage', c.lifecycle_stage, 'status', c.status, 'is_archived', c.is_archived,
      'since', (c.created_at at time zone c.time_zone)::date),
    'last_interaction', (select to_jsonb(s) from said s),
    'complaint', (select jsonb_build_object('id', f.id, 'day', f.day) from felt f
      where f.sentiment = 'negative' and not exists (select from public.crm_interactions a
        where a.org_id = c.org_id and a.customer_id = c.id and a.direction = 'outbound' and a.occurred_at > f.occurred_at)),
    'last_visit', (select to_jsonb(v) from visit v),
    'has_open_visit', exists (select from public.work_orders w
      where w.org_id = c.org_id and w.customer_id = c.id and w.status in ('scheduled', 'en_route', 'on_site')),
    'has_visit_plan', exists (select from public.visit_plans p where p.org_id = c.org_id and p.customer_id = c.id and p.is_active),
    'has_followup', exists (select from public.crm_followups f where f.org_id = c.org_id and f.customer_id = c.id and f.status = 'pending'
      and (f.dedupe_key is null or f.dedupe_key not like 'suggestion:%')),
    'quotes', (select coalesce(jsonb_agg(to_jsonb(q)), '[]') from quotes q),
    'invoices', (select coalesce(jsonb_agg(to_jsonb(i)), '[]') from invoices i),
    'memberships', (select coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'title', p.name, 'ends_on', m.ends_on) order by m.id), '[]')
      from public.customer_memberships m join public.membership_plans p on p.org_id = m.org_id and p.id = m.membership_plan_id
      where m.org_id = c.org_id and m.customer_id = c.id and m.status = 'active' and m.ends_on between c.today and c.today + 60),
    'warranties', (select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'title', w.title, 'ends_on', w.ends_on) order by w.id), '[]')
      from public.warranties w
      where w.org_id = c.org_id and w.customer_id = c.id and w.ends_on between c.today and c.today + 60),
    'visit_plans', '[]'::jsonb,
    'suggested', (select coalesce(jsonb_object_agg(f.dedupe_key, f.status), '{}') from public.crm_followups f
      where f.org_id = c.org_id and f.customer_id = c.id and f.dedupe_key like 'suggestion:%')))
from c
