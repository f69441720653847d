-- Segments and who is in them. How rules are evaluated is not the tables' business.

create type public.segment_type as enum ('static', 'rule_based', 'ai_generated');

create table public.crm_segments (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  name text not null,
  description text,
  type public.segment_type not null,
  definition jsonb,
  ai_prompt text,
  ai_explanation text,
  is_active boolean not null default true,
  last_computed_at timestamptz,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint crm_segments_org_id_id_key unique (org_id, id),
  constraint crm_segments_org_id_name_key unique (org_id, name),
  constraint crm_segments_name_check check (btrim(name) <> '' and char_length(name) <= 200),
  constraint crm_segments_text_check check (char_length(description) <= 20000 and char_length(ai_prompt) <= 4000
    and char_length(ai_explanation) <= 20000),
  constraint crm_segments_definition_check check (jsonb_typeof(definition) = 'object')
);
create index idx_crm_segments_created_by_user_id on public.crm_segments (created_by_user_id);
comment on table public.crm_segments is 'Groups of customers: picked by hand, by rules, or by rules that a model proposed.';

create table public.crm_segment_members (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  segment_id uuid not null,
  customer_id uuid not null,
  score numeric,
  metadata jsonb,
  created_at timestamptz not null default now(),
  constraint crm_segment_members_org_id_segment_id_customer_id_key unique (org_id, segment_id, customer_id),
  constraint crm_segment_members_segment_id_fkey foreign key (org_id, segment_id)
    references public.crm_segments (org_id, id) on delete cascade,
  constraint crm_segment_members_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade
);
create index idx_crm_segment_members_customer_id on public.crm_segment_members (org_id, customer_id);
comment on table public.crm_segment_members is 'Which customer is in which segment.';
comment on column public.crm_segment_members.score is 'Rank within the segment, such as a propensity to buy.';

create trigger crm_segments_set_updated_at before update on public.crm_segments
  for each row execute function fieldcrm.set_updated_at();
create trigger crm_segments_keep_creator before update of created_by_user_id on public.crm_segments
  for each row when (new.created_by_user_id is distinct from old.created_by_user_id)
  execute function fieldcrm.keep_creator();
create trigger crm_segment_members_set_org_id before insert on public.crm_segment_members
  for each row when (new.org_id is null) execute function fieldcrm.set_org_id();

do $policies$
declare
  tab text;
  may_write constant text := $$org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('segments.write'))$$;
begin
  foreach tab in array array['crm_segments', 'crm_segment_members'] loop
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select, insert, update, delete on public.%I to authenticated, service_role', tab);
    execute format($$create policy "Staff see those of their org" on public.%I for select to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')))$$, tab);
    execute format('create policy "Who may write segments may add" on public.%I for insert to authenticated with check (%s)', tab, may_write);
    execute format('create policy "Who may write segments may change" on public.%I for update to authenticated using (%s)', tab, may_write);
    execute format('create policy "Who may write segments may remove" on public.%I for delete to authenticated using (%s)', tab, may_write);
  end loop;
end $policies$;
