-- Agency workspaces: the clients an agency works for, their marketing projects, and who may enter which.
-- squawk-ignore-file prefer-bigint-over-int
--
-- A client is not a tenant: the tenant is the org. Who may enter a client is a member of it, or may manage all
-- clients of the org (clients.manage). A policy compares each row with an array that is made once a statement.

create table public.clients (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  name text not null,
  description text,
  status text not null default 'ACTIVE',
  contact_info jsonb not null default '{}',
  settings jsonb not null default '{}',
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint clients_org_id_id_key unique (org_id, id),
  constraint clients_name_check check (btrim(name) <> '' and char_length(name) <= 200),
  constraint clients_description_check check (char_length(description) <= 20000),
  constraint clients_status_check check (status in ('ACTIVE', 'INACTIVE')),
  constraint clients_json_check check (jsonb_typeof(contact_info) = 'object' and jsonb_typeof(settings) = 'object')
);
create index idx_clients_org_id on public.clients (org_id, created_at desc, id);
create index idx_clients_created_by_user_id on public.clients (created_by_user_id);
comment on table public.clients is 'Whom an agency works for: workspaces inside an org, each with its members.';
comment on column public.clients.contact_info is 'email, phone, address, website.';

create table public.client_members (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  client_id uuid not null,
  user_id uuid not null,
  role text not null default 'member',
  joined_at timestamptz not null default now(),
  constraint client_members_org_id_client_id_user_id_key unique (org_id, client_id, user_id),
  constraint client_members_client_id_fkey foreign key (org_id, client_id)
    references public.clients (org_id, id) on delete cascade,
  constraint client_members_user_id_fkey foreign key (org_id, user_id)
    references public.profiles (org_id, id) on delete cascade,
  constraint client_members_role_check check (role in ('admin', 'member', 'viewer'))
);
create index idx_client_members_user_id on public.client_members (org_id, user_id);
comment on table public.client_members is 'Who may enter a client: viewers read, members write, admins also delete and choose the members.';

create table public.projects (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  client_id uuid not null,
  name text not null,
  description text,
  status text not null default 'active',
  settings jsonb not null default '{}',
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint projects_org_id_id_key unique (org_id, id),
  constraint projects_org_id_client_id_id_key unique (org_id, client_id, id),
  constraint projects_client_id_fkey foreign key (org_id, client_id)
    references public.clients (org_id, id) on delete cascade,
  constraint projects_name_check check (btrim(name) <> '' and char_length(name) <= 200),
  constraint projects_description_check check (char_length(description) <= 20000),
  constraint projects_status_check check (status in ('active', 'paused', 'completed')),
  constraint projects_settings_check check (jsonb_typeof(settings) = 'object')
);
create index idx_projects_client_id on public.projects (org_id, client_id, created_at desc, id);
create index idx_projects_created_by_user_id on public.projects (created_by_user_id);
comment on table public.projects is 'Marketing projects of a client; leads come in through them.';
comment on column public.projects.settings is 'Campaigns, budgets, targets; lead_assignment: round_robin or least_loaded.';

create table public.project_members (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  client_id uuid not null,
  project_id uuid not null,
  user_id uuid not null,
  role text not null default 'member',
  permissions jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint project_members_org_id_project_id_user_id_key unique (org_id, project_id, user_id),
  constraint project_members_project_id_fkey foreign key (org_id, client_id, project_id)
    references public.projects (org_id, client_id, id) on delete cascade,
  -- Who leaves the client leaves its projects.
  constraint project_members_user_id_fkey foreign key (org_id, client_id, user_id)
    references public.client_members (org_id, client_id, user_id) on delete cascade,
  constraint project_members_role_check check (role in ('manager', 'member', 'viewer')),
  constraint project_members_permissions_check check (jsonb_typeof(permissions) = 'object')
);
create index idx_project_members_user_id on public.project_members (org_id, user_id, client_id);
comment on table public.project_members is 'The team of a project, out of the members of its client: who gets its leads.';

-- What the caller may enter, once a statement. Definer, because the policies of client_members ask it too.
create function fieldcrm.client_ids(least_role text) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  org constant uuid := fieldcrm.current_org_id();
  profile constant uuid := fieldcrm.current_profile_id();
begin
  if least_role not in ('viewer', 'member', 'admin') then
    raise exception using errcode = '22023', message = format('there is no role "%s" in a client', least_role);
  end if;
  -- Whoever signs in to the portal sees leads through its functions only, or not at all.
  if not fieldcrm.is_staff() then
    return array[]::uuid[];
  end if;
  return coalesce((
    select array_agg(m.client_id)
    from public.client_members m
    where m.org_id = org and m.user_id = profile
      and (least_role = 'viewer' or m.role = 'admin' or (least_role = 'member' and m.role = 'member'))), '{}');
end $$;
comment on function fieldcrm.client_ids(text) is 'The clients that the caller is a member of, with that role (viewer, member, admin) or more.';
revoke all on function fieldcrm.client_ids(text) from public, anon, authenticated, service_role;
grant execute on function fieldcrm.client_ids(text) to authenticated, service_role;

-- A child's client is its parent's: who inserts need not say it, and cannot say another.
create function fieldcrm.set_client_id() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if new.client_id is null then
    new.client_id := (select p.client_id from public.projects p where p.org_id = new.org_id and p.id = new.project_id);
  end if;
  return new;
end $$;
revoke all on function fieldcrm.set_client_id() from public, anon, authenticated, service_role;
create trigger project_members_set_client_id before insert on public.project_members
  for each row when (new.client_id is null) execute function fieldcrm.set_client_id();

-- Who makes a client is its first admin: there is no other way in.
create function fieldcrm.join_own_client() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.client_members (org_id, client_id, user_id, role)
  select n.org_id, n.id, p.id, 'admin'
  from new_rows n join public.profiles p on p.org_id = n.org_id and p.id = n.created_by_user_id
  on conflict (org_id, client_id, user_id) do nothing;
  return null;
end $$;
create trigger clients_join_own after insert on public.clients referencing new table as new_rows
  for each statement execute function fieldcrm.join_own_client();
-- A project begins with the team of its client; who made it manages it.
create function fieldcrm.join_new_project() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.project_members (org_id, client_id, project_id, user_id, role)
  select n.org_id, n.client_id, n.id, m.user_id,
    case when m.user_id = n.created_by_user_id or m.role = 'admin' then 'manager' else m.role end
  from new_rows n join public.client_members m on m.org_id = n.org_id and m.client_id = n.client_id
  on conflict (org_id, project_id, user_id) do nothing;
  return null;
end $$;
create trigger projects_join_new after insert on public.projects referencing new table as new_rows
  for each statement execute function fieldcrm.join_new_project();
revoke all on function fieldcrm.join_own_client(), fieldcrm.join_new_project() from public, anon, authenticated, service_role;

create trigger clients_set_updated_at before update on public.clients
  for each row execute function fieldcrm.set_updated_at();
create function public.update_updated_at() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end $$;
comment on function public.update_updated_at() is 'Keeps updated_at.';
revoke all on function public.update_updated_at() from public, anon, authenticated, service_role;
create trigger update_projects_timestamp before update on public.projects
  for each row execute function public.update_updated_at();
create trigger clients_keep_creator before update of created_by_user_id on public.clients
  for each row when (new.created_by_user_id is distinct from old.created_by_user_id) execute function fieldcrm.keep_creator();
create trigger projects_keep_creator before update of created_by_user_id on public.projects
  for each row when (new.created_by_user_id is distinct from old.created_by_user_id) execute function fieldcrm.keep_creator();

do $rls$
declare
  tab text;
begin
  foreach tab in array array['clients', 'client_members', 'projects', 'project_members'] loop
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select, delete on public.%I to authenticated', tab);
    execute format('grant select, insert, update, delete on public.%I to service_role', tab);
  end loop;
end $rls$;
grant insert (id, org_id, name, description, status, contact_info, settings, created_by_user_id),
  update (name, description, status, contact_info, settings) on public.clients to authenticated;
grant insert (id, org_id, client_id, user_id, role), update (role) on public.client_members to authenticated;
grant insert (id, org_id, client_id, name, description, status, settings, created_by_user_id),
  update (name, description, status, settings) on public.projects to authenticated;
grant insert (id, org_id, client_id, project_id, user_id, role, permissions), update (role, permissions)
  on public.project_members to authenticated;

create policy "Members see their clients, managers of clients all" on public.clients for select to authenticated
  using (org_id = (select fieldcrm.current_org_id())
    and ((select fieldcrm.has_capability('clients.manage')) or id = any ((select fieldcrm.client_ids('viewer'))::uuid[])
      -- The statement that makes a client may return it: its membership comes at the statement's end.
      or (created_by_user_id = (select fieldcrm.current_profile_id()) and created_at = now())));
create policy "Who may create clients adds one in their own name" on public.clients for insert to authenticated
  with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('clients.create'))
    and created_by_user_id = (select fieldcrm.current_profile_id()));
create policy "Admins of a client change it, managers of clients all" on public.clients for update to authenticated
  using (org_id = (select fieldcrm.current_org_id())
    and ((select fieldcrm.has_capability('clients.manage')) or id = any ((select fieldcrm.client_ids('admin'))::uuid[])));
create policy "Admins of a client delete it, managers of clients all" on public.clients for delete to authenticated
  using (org_id = (select fieldcrm.current_org_id())
    and ((select fieldcrm.has_capability('clients.manage')) or id = any ((select fieldcrm.client_ids('admin'))::uuid[])));

do $policies$
declare
  tab text;
  least text;
  may constant text := $$(org_id = (select fieldcrm.current_org_id()) and ((select fieldcrm.has_capability('clients.manage'))
    or client_id = any ((select fieldcrm.client_ids(%L))::uuid[])))$$;
begin
  foreach tab in array array['client_members', 'projects', 'project_members'] loop
    least := case tab when 'projects' then 'member' else 'admin' end;
    execute format('create policy "Members see what belongs to their clients" on public.%I for select to authenticated using (%s)',
      tab, format(may, 'viewer'));
    execute format('create policy "Who may write in the client adds" on public.%I for insert to authenticated with check (%s)',
      tab, format(may, least) || case when tab = 'projects' then ' and created_by_user_id = (select fieldcrm.current_profile_id())' else '' end);
    execute format('create policy "Who may write in the client changes" on public.%I for update to authenticated using (%s)',
      tab, format(may, least));
    execute format('create policy "Admins of the client remove" on public.%I for delete to authenticated using (%s)',
      tab, format(may, 'admin'));
  end loop;
end $policies$;
