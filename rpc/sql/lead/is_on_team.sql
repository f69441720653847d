-- In: {org_id, project_id, user_id}. Out: {ok}: whether leads of the project may go to that member.
select jsonb_build_object('ok', exists (
  select from public.project_members m join public.profiles p on p.org_id = m.org_id and p.id = m.user_id
  where m.org_id = ($1 ->> 'org_id')::uuid and m.project_id = ($1 ->> 'project_id')::uuid
    and m.user_id = ($1 ->> 'user_id')::uuid and m.role in ('manager', 'member')
    and p.status = 'active' and p.role not in ('portal_customer', 'portal_manager')))
