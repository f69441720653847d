-- In: {org_id, id, set: columns}. Out: {thread: whether it is there, assignee: whether they are active staff of the org}; nothing is written
-- unless both hold.
with checked as materialized (
  select exists (select from public.portal_threads t where t.org_id = ($1 ->> 'org_id')::uuid and t.id = ($1 ->> 'id')::uuid) as thread,
    $1 #>> '{set,assigned_to_user_id}' is null or exists (select from public.profiles p
      where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 #>> '{set,assigned_to_user_id}')::uuid and p.status = 'active'
        and p.role not in ('portal_customer', 'portal_manager', 'client_admin')) as assignee
), changed as (
  update public.portal_threads t
  set (status, assigned_to_user_id, subject) = (
    select n.status, n.assigned_to_user_id, n.subject from jsonb_populate_record(t, $1 -> 'set') n)
  from checked k
  where k.thread and k.assignee and t.org_id = ($1 ->> 'org_id')::uuid and t.id = ($1 ->> 'id')::uuid
)
select to_jsonb(k) from checked k
