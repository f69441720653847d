-- In: {org_id, id, assigned_to_user_id or null}. Out: {followup: the row, assignee: whether that is active staff}; null
-- if the caller may not change the follow-up (FOR UPDATE applies the policies for update). Two patches of one
-- follow-up take turns.
select jsonb_build_object('followup', to_jsonb(f),
  'assignee', $1 ->> 'assigned_to_user_id' is null or exists (select from public.profiles p
    where p.org_id = f.org_id and p.id = ($1 ->> 'assigned_to_user_id')::uuid and p.status = 'active'
      and p.role not in ('portal_customer', 'portal_manager')))
from public.crm_followups f
where f.org_id = ($1 ->> 'org_id')::uuid and f.id = ($1 ->> 'id')::uuid
for update
