-- Two orgs that are alike to the last customer, each with 200 rules over ten types of events. Their ids derive from
-- names, so that what comes of them can be compared.
-- With chaos.events events and 500 customers.
create schema if not exists chaos;
create or replace function chaos.id(org text, what text) returns uuid language sql immutable as $$
  select md5('chaos ' || org || ' ' || what)::uuid
$$;
insert into public.orgs (id, name) select chaos.id(o, 'org'), 'Chaos ' || o from unnest(array['clean', 'killed']) o;
insert into public.customers (id, org_id, type, name, email, status, lifecycle_stage)
select chaos.id(o, 'customer ' || n), chaos.id(o, 'org'), 'individual', 'Customer ' || n, 'chaos' || n || '@example.com',
  (array['active', 'prospect', 'inactive'])[1 + n % 3]::public.customer_status, 'customer'
from unnest(array['clean', 'killed']) o, generate_series(1, 500) n;
insert into public.customer_contacts (org_id, customer_id, type, value, is_primary, opt_in_transactional)
select chaos.id(o, 'org'), chaos.id(o, 'customer ' || n), 'email', 'chaos' || n || '@example.com', true, n % 7 <> 0
from unnest(array['clean', 'killed']) o, generate_series(1, 500) n;
-- One in three with a condition, one in five once a customer.
insert into public.crm_automation_rules (id, org_id, name, trigger_type, event_type, conditions, actions, reenrollment, enabled_at)
select chaos.id(o, 'rule ' || n), chaos.id(o, 'org'), 'Rule ' || n, 'event', 'chaos_' || n % 10,
  case when n % 3 = 0 then '{"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [
    {"field": "status", "operator": "=", "value": "active"}]}}'::jsonb end,
  case n % 4
    when 0 then jsonb_build_array(jsonb_build_object('type', 'create_followup', 'title', 'Rule ' || n || ' for {{ customer.name }}', 'due_in_minutes', 60))
    when 1 then jsonb_build_array(jsonb_build_object('type', 'tag_customer', 'tag', 'Tag ' || n % 50))
    when 2 then jsonb_build_array(jsonb_build_object('type', 'send_message', 'channel', 'email', 'purpose', 'transactional',
      'subject', 'Rule ' || n, 'body', 'Dear {{ customer.name }}'))
    else jsonb_build_array(jsonb_build_object('type', 'tag_customer', 'tag', 'Both ' || n % 20),
      jsonb_build_object('type', 'create_followup', 'title', 'Rule ' || n, 'due_in_minutes', 5)) end,
  case when n % 5 = 0 then 'once' else 'per_episode' end, now() - interval '1 hour'
from unnest(array['clean', 'killed']) o, generate_series(1, 200) n;
-- Delivered three times.
do $$
begin
  for delivery in 1..3 loop
    insert into public.crm_events (org_id, event_type, customer_id, event_key, occurred_at)
    select chaos.id(o, 'org'), 'chaos_' || n % 10, chaos.id(o, 'customer ' || 1 + n % 500), 'chaos:' || n, now()
    from unnest(array['clean', 'killed']) o, generate_series(1, current_setting('chaos.events')::integer) n
    on conflict (org_id, event_key) do nothing;
  end loop;
end $$;
