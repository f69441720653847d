-- The contestants' segments, and the loop that goes through the rule customer by customer.
insert into public.crm_segments (id, org_id, name, type, definition) values
  ('bbbbbbbb-0000-4000-8000-00000000000a', '11111111-1111-4111-8111-111111111111', 'By hand', 'static', null),
  ('bbbbbbbb-0000-4000-8000-00000000000b', '11111111-1111-4111-8111-111111111111', 'By rules', 'rule_based',
    '{"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [
      {"field": "status", "operator": "=", "value": "active"},
      {"field": "last_interaction_at", "operator": "olderThan", "value": "P180D"},
      {"field": "tags", "operator": "containsAny", "value": ["VIP"]},
      {"field": "city", "operator": "in", "value": ["Chicago", "Evanston", "Oak Park", "Naperville", "Milwaukee"]},
      {"field": "interactions", "operator": "=", "match": {"mode": "some"}, "value": {"combinator": "and", "rules": [
        {"field": "sentiment", "operator": "=", "value": "negative"},
        {"field": "occurred_at", "operator": "withinLast", "value": "P365D"}]}}]}}');

-- The rule as JSON, in the rule's order: what an application does that has no compiler.
create function bench.matches_in_a_loop(org uuid, rule jsonb) returns bigint
language plpgsql as $$
declare
  customer record;
  condition jsonb;
  holds boolean;
  found bigint := 0;
  actual text;
begin
  for customer in select c.* from public.customers c where c.org_id = org and not c.is_archived loop
    holds := true;
    for condition in select value from jsonb_array_elements(rule) loop
      case condition ->> 'field'
        when 'status' then
          holds := customer.status::text = condition ->> 'value';
        when 'last_interaction_at' then
          select (m.last_interaction_at < now() - (condition ->> 'value')::interval) into holds
          from public.customer_metrics m where m.org_id = org and m.customer_id = customer.id;
        when 'city' then
          select l.city into actual from public.customer_locations l where l.id = customer.primary_location_id;
          holds := condition -> 'value' ? actual;
        when 'tags' then
          holds := exists (
            select from public.crm_customer_tags x join public.crm_tags t on t.id = x.tag_id
            where x.org_id = org and x.customer_id = customer.id and condition -> 'value' ? t.name);
        when 'negative_within' then
          holds := exists (
            select from public.crm_interactions i
            where i.org_id = org and i.customer_id = customer.id and i.sentiment = 'negative'
              and i.occurred_at >= now() - (condition ->> 'value')::interval and i.occurred_at <= now());
      end case;
      exit when holds is not true;
    end loop;
    if holds then
      found := found + 1;
    end if;
  end loop;
  return found;
end $$;
