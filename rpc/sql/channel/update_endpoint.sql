-- In: {org_id, id, set: columns}. Out: the row; null if there is none. Enabled again, it begins with a clean slate.
update public.webhook_endpoints e
set (event_types, description, is_enabled) = (
    select n.event_types, n.description, n.is_enabled from jsonb_populate_record(e, $1 -> 'set') n),
  failure_count = case when ($1 -> 'set' -> 'is_enabled') = 'true' then 0 else e.failure_count end,
  failing_since = case when ($1 -> 'set' -> 'is_enabled') = 'true' then null else e.failing_since end,
  resume_at = case when ($1 -> 'set' -> 'is_enabled') = 'true' then null else e.resume_at end,
  disabled_reason = case when $1 -> 'set' ? 'is_enabled' then null else e.disabled_reason end
where e.org_id = ($1 ->> 'org_id')::uuid and e.id = ($1 ->> 'id')::uuid
returning to_jsonb(e)
