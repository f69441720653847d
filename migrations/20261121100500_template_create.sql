-- Message templates.

create type public.template_channel as enum ('email', 'sms', 'phone_script', 'portal_message');

create table public.crm_message_templates (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  name text not null,
  channel public.template_channel not null,
  subject text,
  body text not null,
  variables jsonb,
  is_system boolean not null default false,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint crm_message_templates_org_id_id_key unique (org_id, id),
  constraint crm_message_templates_org_id_name_channel_key unique (org_id, name, channel),
  constraint crm_message_templates_name_check check (btrim(name) <> '' and char_length(name) <= 200),
  constraint crm_message_templates_subject_check check (char_length(subject) <= 500),
  constraint crm_message_templates_body_check check (btrim(body) <> '' and char_length(body) <= 100000),
  constraint crm_message_templates_variables_check check (jsonb_typeof(variables) = 'array')
);
create index idx_crm_message_templates_created_by_user_id on public.crm_message_templates (created_by_user_id);
comment on table public.crm_message_templates is 'Texts for messages, with variables such as {{customer.first_name}}.';
comment on column public.crm_message_templates.variables is 'The names the template may use beyond customer and org, as a JSON array of text.';
comment on column public.crm_message_templates.is_system is 'Locked: clients can use it, not change or delete it.';

create trigger crm_message_templates_set_updated_at before update on public.crm_message_templates
  for each row execute function fieldcrm.set_updated_at();
create trigger crm_message_templates_keep_creator before update of created_by_user_id on public.crm_message_templates
  for each row when (new.created_by_user_id is distinct from old.created_by_user_id)
  execute function fieldcrm.keep_creator();

alter table public.crm_message_templates enable row level security;
alter table public.crm_message_templates force row level security;
revoke all on public.crm_message_templates from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.crm_message_templates to authenticated, service_role;

create policy "Staff see the templates of their org" on public.crm_message_templates for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
create policy "Who may write templates may add one that is not locked" on public.crm_message_templates for insert to authenticated
  with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('templates.write')) and not is_system
    and created_by_user_id = (select fieldcrm.current_profile_id()));
create policy "Who may write templates may change those that are not locked" on public.crm_message_templates for update to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('templates.write')) and not is_system);
create policy "Who may write templates may delete those that are not locked" on public.crm_message_templates for delete to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('templates.write')) and not is_system);
