-- In: {org_id, user_id or null, rule}, prepared by core. Out: the row.
insert into public.crm_automation_rules (org_id, name, description, is_enabled, trigger_type, event_type, time_offset_minutes,
  segment_id, segment_change, conditions, actions, reenrollment, cooldown_minutes, max_lateness_minutes, created_by_user_id)
select ($1 ->> 'org_id')::uuid, g.name, g.description, g.is_enabled, g.trigger_type, g.event_type, g.time_offset_minutes,
  g.segment_id, g.segment_change, g.conditions, g.actions, g.reenrollment, g.cooldown_minutes, g.max_lateness_minutes,
  ($1 ->> 'user_id')::uuid
from jsonb_populate_record(null::public.crm_automation_rules, $1 -> 'rule') g
returning to_jsonb(crm_automation_rules)
