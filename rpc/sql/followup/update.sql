-- In: {org_id, id, set: columns}. Out: the row, or null.
update public.crm_followups f
set (status, completion_notes, title, description, due_at, priority, assigned_to_user_id, remind_at) = (
  select n.status, n.completion_notes, n.title, n.description, n.due_at, n.priority, n.assigned_to_user_id, n.remind_at
  from jsonb_populate_record(f, $1 -> 'set') n)
where f.org_id = ($1 ->> 'org_id')::uuid and f.id = ($1 ->> 'id')::uuid
returning to_jsonb(f)
