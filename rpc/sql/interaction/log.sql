-- In: {org_id, user_id or null, any_customer: whether the caller may log with customers of others,
-- interaction}, prepared by core. Out: {customer, own, location, work_order, quote, past: whether each is fine,
-- interaction: the row, or null if one is not}.
with given as materialized (
  select g.*
  from jsonb_to_record($1 -> 'interaction') as g (customer_id uuid, channel public.interaction_channel,
    direction public.interaction_direction, type text, subject text, summary text, body text, metadata jsonb,
    occurred_at timestamptz, follow_up_date timestamptz, location_id uuid, related_work_order_id uuid, related_quote_id uuid)
), checked as materialized (
  select c.id is not null as customer,
    ($1 ->> 'any_customer')::boolean or coalesce(c.owner_id = ($1 ->> 'user_id')::uuid, false) as own,
    g.location_id is null or exists (select from public.customer_locations l
      where l.org_id = c.org_id and l.customer_id = c.id and l.id = g.location_id) as location,
    g.related_work_order_id is null or exists (select from public.work_orders w
      where w.org_id = c.org_id and w.customer_id = c.id and w.id = g.related_work_order_id) as work_order,
    g.related_quote_id is null or exists (select from public.quotes q
      where q.org_id = c.org_id and q.customer_id = c.id and q.id = g.related_quote_id) as quote,
    -- A day of grace: clocks and time zones of senders are wrong.
    coalesce(g.occurred_at <= now() + interval '1 day', true) as past
  from given g
  left join public.customers c on c.org_id = ($1 ->> 'org_id')::uuid and c.id = g.customer_id
), logged as (
  insert into public.crm_interactions (org_id, customer_id, location_id, related_work_order_id, related_quote_id, channel,
    direction, type, subject, summary, body, metadata, follow_up_date, created_by_user_id, occurred_at)
  select ($1 ->> 'org_id')::uuid, g.customer_id, g.location_id, g.related_work_order_id, g.related_quote_id, g.channel,
    g.direction, g.type, g.subject, g.summary, g.body, g.metadata, g.follow_up_date, ($1 ->> 'user_id')::uuid,
    coalesce(g.occurred_at, now())
  from given g, checked k
  where k.customer and k.own and k.location and k.work_order and k.quote and k.past
  returning *
)
select to_jsonb(k) || jsonb_build_object('interaction', (select to_jsonb(l) from logged l)) from checked k
