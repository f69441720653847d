-- In: {org_id, id, rule: every column that a caller decides}. Out: the row.
update public.crm_automation_rules r
set (name, description, is_enabled, trigger_type, event_type, time_offset_minutes, segment_id, segment_change, conditions, actions,
    reenrollment, cooldown_minutes, max_lateness_minutes) = (
  select g.name, g.description, g.is_enabled, g.trigger_type, g.event_type, g.time_offset_minutes, g.segment_id, g.segment_change,
    g.conditions, g.actions, g.reenrollment, g.cooldown_minutes, g.max_lateness_minutes
  from jsonb_populate_record(null::public.crm_automation_rules, $1 -> 'rule') g)
where r.org_id = ($1 ->> 'org_id')::uuid and r.id = ($1 ->> 'id')::uuid
returning to_jsonb(r)
