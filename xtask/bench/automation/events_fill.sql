-- 20 rules: half of them hear the event, and one in two of those has a condition that half of the customers meet.
delete from public.crm_automation_rules;
insert into public.crm_automation_rules (org_id, name, trigger_type, event_type, conditions, actions)
select '11111111-1111-4111-8111-111111111111', 'Bench ' || n, 'event', case when n % 2 = 0 then 'bench_happened' else 'bench_other' end,
  case when n % 4 = 0 then '{"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [
    {"field": "name", "operator": "endsWith", "value": "1"}]}}'::jsonb end,
  case n % 6 when 0 then '[{"type": "tag_customer", "tag": "Bench"}]'
    when 2 then '[{"type": "create_followup", "title": "Call {{ customer.name }}", "due_in_minutes": 60}]'
    else '[{"type": "send_message", "channel": "email", "purpose": "transactional", "subject": "Hello", "body": "Hello {{ customer.name }}"}]' end::jsonb
from generate_series(1, 20) n;
