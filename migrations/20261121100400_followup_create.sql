-- Follow-ups: what somebody has to come back to, and until when.

create type public.followup_status as enum ('pending', 'completed', 'canceled', 'expired');
create type public.followup_priority as enum ('low', 'medium', 'high');
create type public.followup_origin as enum ('manual', 'system_rule', 'ai_recommendation');

create table public.crm_followups (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  customer_id uuid not null,
  assigned_to_user_id uuid,
  title text not null,
  description text,
  due_at timestamptz not null,
  status public.followup_status not null default 'pending',
  priority public.followup_priority not null default 'medium',
  origin public.followup_origin not null default 'manual',
  dedupe_key text,
  related_interaction_id uuid,
  related_work_order_id uuid,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  completed_at timestamptz,
  completion_notes text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint crm_followups_org_id_id_key unique (org_id, id),
  constraint crm_followups_org_id_customer_id_id_key unique (org_id, customer_id, id),
  constraint crm_followups_org_id_dedupe_key_key unique (org_id, dedupe_key),
  constraint crm_followups_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint crm_followups_assigned_to_user_id_fkey foreign key (org_id, assigned_to_user_id)
    references public.profiles (org_id, id) on delete set null (assigned_to_user_id),
  constraint crm_followups_related_interaction_id_fkey foreign key (org_id, customer_id, related_interaction_id)
    references public.crm_interactions (org_id, customer_id, id) on delete set null (related_interaction_id),
  constraint crm_followups_related_work_order_id_fkey foreign key (org_id, customer_id, related_work_order_id)
    references public.work_orders (org_id, customer_id, id) on delete set null (related_work_order_id),
  constraint crm_followups_title_check check (btrim(title) <> '' and char_length(title) <= 200),
  constraint crm_followups_text_check check (char_length(description) <= 20000 and char_length(completion_notes) <= 20000),
  constraint crm_followups_dedupe_key_check check (char_length(dedupe_key) between 1 and 255),
  constraint crm_followups_due_at_check check (due_at >= '1900-01-01 00:00:00+00' and due_at < '3000-01-01 00:00:00+00'),
  constraint crm_followups_completed_check check ((status = 'completed') = (completed_at is not null))
);
create index idx_crm_followups_org_id_due_at on public.crm_followups (org_id, due_at, id);
create index idx_crm_followups_assigned_to_user_id_due_at on public.crm_followups (org_id, assigned_to_user_id, due_at);
create index idx_crm_followups_customer_id on public.crm_followups (org_id, customer_id, due_at desc, id desc);
create index idx_crm_followups_pending on public.crm_followups (due_at) where status = 'pending';
create index idx_crm_followups_related_interaction_id on public.crm_followups (related_interaction_id)
  where related_interaction_id is not null;
create index idx_crm_followups_related_work_order_id on public.crm_followups (related_work_order_id)
  where related_work_order_id is not null;
create index idx_crm_followups_created_by_user_id on public.crm_followups (created_by_user_id);
comment on table public.crm_followups is 'What somebody has to come back to a customer for, and until when.';
comment on column public.crm_followups.dedupe_key is 'What makes it the same follow-up: a second one with the key does not come into being.';
comment on column public.crm_followups.created_by_user_id is 'Null where the system made it.';

create trigger crm_followups_set_updated_at before update on public.crm_followups
  for each row execute function fieldcrm.set_updated_at();
create trigger crm_followups_set_org_id before insert on public.crm_followups
  for each row when (new.org_id is null) execute function fieldcrm.set_org_id();
create trigger crm_followups_keep_creator before update of created_by_user_id on public.crm_followups
  for each row when (new.created_by_user_id is distinct from old.created_by_user_id)
  execute function fieldcrm.keep_creator();

-- completed_at goes with the status, by whatever door the status comes.
create function fieldcrm.set_followup_completed_at() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.completed_at := case when new.status = 'completed' then coalesce(new.completed_at, now()) end;
  return new;
end $$;
create trigger crm_followups_set_completed_at before insert or update of status, completed_at on public.crm_followups
  for each row execute function fieldcrm.set_followup_completed_at();

-- An interaction with a follow-up date makes its follow-up, for whoever logged it; as the same caller, and
-- once, because the key is the interaction's.
create function fieldcrm.follow_up_interactions() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into public.crm_followups (org_id, customer_id, assigned_to_user_id, title, due_at, dedupe_key,
    related_interaction_id, related_work_order_id, created_by_user_id)
  select n.org_id, n.customer_id, p.id, left('Follow up' || coalesce(': ' || nullif(btrim(coalesce(n.subject, n.type)), ''), ''), 200),
    n.follow_up_date, 'interaction:' || n.id, n.id, n.related_work_order_id, n.created_by_user_id
  from new_rows n left join public.profiles p on p.org_id = n.org_id and p.id = n.created_by_user_id
  where n.follow_up_date is not null
  on conflict (org_id, dedupe_key) do nothing;
  return null;
end $$;
create trigger crm_interactions_follow_up after insert on public.crm_interactions
  referencing new table as new_rows for each statement execute function fieldcrm.follow_up_interactions();

alter table public.crm_followups enable row level security;
alter table public.crm_followups force row level security;
revoke all on public.crm_followups from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.crm_followups to authenticated, service_role;

create policy "Staff see the follow-ups of their org" on public.crm_followups for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
create policy "Writers add in their own name, members for their own" on public.crm_followups
  for insert to authenticated with check (org_id = (select fieldcrm.current_org_id())
    and created_by_user_id = (select fieldcrm.current_profile_id()) and origin = 'manual'
    and ((select fieldcrm.has_capability('followups.write')) or fieldcrm.owns_customer(customer_id)));
create policy "Writers change follow-ups, members what is theirs" on public.crm_followups
  for update to authenticated using (org_id = (select fieldcrm.current_org_id())
    and ((select fieldcrm.has_capability('followups.write'))
      or ((select fieldcrm.has_capability('followups.write_own'))
        and (assigned_to_user_id = (select fieldcrm.current_profile_id()) or created_by_user_id = (select fieldcrm.current_profile_id())))))
  with check (org_id = (select fieldcrm.current_org_id()));
create policy "Who may delete customers may delete follow-ups" on public.crm_followups for delete to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.delete')));
