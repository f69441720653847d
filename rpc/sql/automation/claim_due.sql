-- In: {org_id or null for all, batch_limit}. Out: {rules: [those of the runs], runs: [{id, org_id, rule: place in rules, customer_id,
-- occurrence_key, event, rule_chain, skip or null: why it must not act}] in the order in which they fell due, held: [[customer id,
-- is_archived, is_closed]]}: only runs of those who are held may act. The customers are locked with their runs; whose customer another session holds is left to the next call.
with picked as materialized (
  select a.*
  from public.crm_automation_runs a
  where a.status = 'pending' and a.due_at <= now() and ($1 ->> 'org_id' is null or a.org_id = ($1 ->> 'org_id')::uuid)
  order by a.due_at, a.id
  limit ($1 ->> 'batch_limit')::bigint
  for update skip locked
), held as materialized (
  select c.org_id, c.id, c.is_archived, c.erased_at is not null or c.merged_into_id is not null as is_closed
  from public.customers c
  where (c.org_id, c.id) in (select p.org_id, p.customer_id from picked p)
  for no key update skip locked
), rule as materialized (
  select r.*, row_number() over (order by r.org_id, r.created_at, r.id) - 1 as place
  from public.crm_automation_rules r
  where (r.org_id, r.id) in (select p.org_id, p.rule_id from picked p)
), due as (
  select p.id, p.org_id, r.place, p.customer_id, p.occurrence_key, p.trigger_context, p.rule_chain, p.due_at, case
    when not r.is_enabled then 'disabled'
    when now() > p.due_at + make_interval(mins => r.max_lateness_minutes) then 'too_late'
    when r.event_type = 'no_reply' and r.reenrollment <> 'per_episode' and exists (
      select from public.crm_automation_runs x
      where x.org_id = p.org_id and x.rule_id = p.rule_id and x.customer_id = p.customer_id and x.status = 'success'
        and (r.reenrollment = 'once' or x.completed_at > now() - make_interval(mins => r.cooldown_minutes))) then 'cooldown'
    when r.event_type = 'no_reply' then (
      select case when bool_or(i.direction = 'inbound') then 'replied' when bool_or(i.direction = 'outbound') then 'superseded' end
      from public.crm_interactions i
      where i.org_id = p.org_id and i.customer_id = p.customer_id
        and i.occurred_at >= (p.trigger_context ->> 'occurred_at')::timestamptz
        and i.id::text is distinct from p.trigger_context -> 'payload' ->> 'interaction_id'
        and not exists (
          -- Logged at the same instant as the one that waits: the later of the two is what was written later.
          select from public.crm_interactions o
          where o.org_id = p.org_id and o.customer_id = p.customer_id and o.id::text = p.trigger_context -> 'payload' ->> 'interaction_id'
            and i.occurred_at = o.occurred_at and (i.created_at, i.id) < (o.created_at, o.id)))
    end as skip
  from picked p
  join rule r on r.org_id = p.org_id and r.id = p.rule_id
)
select jsonb_build_object(
  'rules', coalesce((select jsonb_agg(to_jsonb(r) order by r.place) from rule r), '[]'),
  'runs', coalesce((select jsonb_agg(jsonb_build_object('id', d.id, 'org_id', d.org_id, 'rule', d.place, 'customer_id', d.customer_id,
    'occurrence_key', d.occurrence_key, 'event', d.trigger_context, 'rule_chain', d.rule_chain, 'skip', d.skip)
    order by d.due_at, d.id) from due d), '[]'),
  'held', coalesce((select jsonb_agg(jsonb_build_array(c.id, c.is_archived, c.is_closed)) from held c), '[]'))
