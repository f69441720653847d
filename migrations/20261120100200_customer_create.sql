-- Customers and what belongs to them: locations, contacts, preferences, tags.

create type public.customer_type as enum ('individual', 'company');
create type public.customer_status as enum ('active', 'prospect', 'inactive', 'blacklisted');
create type public.lifecycle_stage as enum ('lead', 'opportunity', 'customer', 'former_customer');
create type public.location_type as enum ('billing', 'service', 'both');
create type public.contact_type as enum ('email', 'mobile', 'phone', 'fax', 'whatsapp', 'telegram', 'portal');

create table public.customers (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  external_ref text,
  type public.customer_type not null,
  name text not null,
  first_name text,
  last_name text,
  company_name text,
  primary_location_id uuid,
  primary_contact_id uuid,
  email text,
  phone text,
  phone_raw text,
  status public.customer_status not null default 'prospect',
  lifecycle_stage public.lifecycle_stage not null default 'lead',
  -- Text, not an enum: = on text is leakproof, so an index on it serves queries under RLS.
  pipeline_stage text not null default 'lead',
  source text,
  preferred_language text,
  notes text,
  owner_id uuid,
  owner text,
  is_archived boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint customers_org_id_id_key unique (org_id, id),
  constraint customers_owner_id_fkey foreign key (org_id, owner_id)
    references public.profiles (org_id, id) on delete set null (owner_id),
  constraint customers_name_check check (btrim(name) <> '' and char_length(name) <= 200),
  constraint customers_email_check check (email = lower(email) and char_length(email) <= 254),
  constraint customers_phone_check check (phone ~ '^\+[1-9][0-9]{1,14}$'),
  constraint customers_pipeline_stage_check check (pipeline_stage in (
    'lead', 'qualified', 'proposal', 'negotiation', 'closed_won', 'closed_lost')),
  constraint customers_notes_check check (char_length(notes) <= 20000)
);
comment on table public.customers is 'The customers of an org: people and companies, from first lead to former customer.';
comment on column public.customers.external_ref is 'The key in the system the customer came from; unique in the org.';
comment on column public.customers.phone is 'E.164; phone_raw is what was typed.';
comment on column public.customers.pipeline_stage is 'Sales pipeline; apart from status and lifecycle_stage.';
comment on column public.customers.owner_id is 'The responsible profile. Only managers and above change it.';
comment on column public.customers.owner is 'Display label of the owner as imported; owner_id is authoritative.';
comment on column public.customers.is_archived is 'Archived customers are left out of default queries and can be restored.';

create table public.customer_locations (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  customer_id uuid not null,
  label text,
  type public.location_type not null default 'both',
  address_line1 text not null,
  address_line2 text,
  city text not null,
  state text,
  postal_code text,
  country text default 'US',
  latitude numeric,
  longitude numeric,
  is_primary boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint customer_locations_org_id_customer_id_id_key unique (org_id, customer_id, id),
  constraint customer_locations_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint customer_locations_country_check check (country ~ '^[A-Z]{2}$'),
  constraint customer_locations_latitude_check check (latitude between -90 and 90),
  constraint customer_locations_longitude_check check (longitude between -180 and 180)
);
create index idx_customer_locations_customer_id on public.customer_locations (customer_id);
create index idx_customer_locations_geo on public.customer_locations (latitude, longitude) where latitude is not null;
create unique index customer_locations_one_primary_key on public.customer_locations (customer_id) where is_primary;
comment on table public.customer_locations is 'Addresses of a customer; what dispatch and the portal drive to.';

create table public.customer_contacts (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  customer_id uuid not null,
  type public.contact_type not null,
  value text not null,
  value_raw text,
  is_primary boolean not null default false,
  is_verified boolean not null default false,
  opt_in_marketing boolean not null default true,
  opt_in_transactional boolean not null default true,
  preferred_channel boolean not null default false,
  notes text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint customer_contacts_org_id_customer_id_id_key unique (org_id, customer_id, id),
  constraint customer_contacts_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint customer_contacts_value_check check (
    btrim(value) <> '' and case
      when type = 'email' then value = lower(value) and char_length(value) <= 254
      when type in ('mobile', 'phone', 'fax', 'whatsapp') then value ~ '^\+[1-9][0-9]{1,14}$'
      else char_length(value) <= 200 end)
);
create unique index idx_customer_contacts_customer_id on public.customer_contacts (customer_id, type, value);
create unique index customer_contacts_one_primary_key on public.customer_contacts (customer_id) where is_primary;
create index idx_customer_contacts_value on public.customer_contacts (org_id, value);
comment on table public.customer_contacts is 'Communication endpoints of a customer (an address or a number a row), not people.';
comment on column public.customer_contacts.value is 'E-mail in lower case, numbers in E.164; value_raw is what was typed where that differs.';
comment on column public.customer_contacts.preferred_channel is 'The customer''s favourite channel.';

alter table public.customers
  add constraint customers_primary_location_id_fkey foreign key (org_id, id, primary_location_id)
    references public.customer_locations (org_id, customer_id, id) on delete set null (primary_location_id),
  add constraint customers_primary_contact_id_fkey foreign key (org_id, id, primary_contact_id)
    references public.customer_contacts (org_id, customer_id, id) on delete set null (primary_contact_id);

create index idx_customers_org_id on public.customers (org_id, created_at desc, id);
create unique index customers_org_id_external_ref_key on public.customers (org_id, external_ref) where external_ref is not null;
create index idx_customers_pipeline on public.customers (org_id, pipeline_stage, is_archived, created_at desc);
create index idx_customers_name on public.customers (org_id, lower(name));
create index idx_customers_email on public.customers (org_id, email) where email is not null;
create index idx_customers_phone on public.customers (org_id, phone) where phone is not null;
create index idx_customers_owner_id on public.customers (org_id, owner_id) where owner_id is not null;
create index idx_customers_primary_location_id on public.customers (primary_location_id) where primary_location_id is not null;
create index idx_customers_primary_contact_id on public.customers (primary_contact_id) where primary_contact_id is not null;

create table public.crm_preferences (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  customer_id uuid not null,
  do_not_contact boolean not null default false,
  do_not_email boolean not null default false,
  do_not_sms boolean not null default false,
  do_not_call boolean not null default false,
  preferred_contact_window_start time,
  preferred_contact_window_end time,
  notes text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint crm_preferences_customer_id_key unique (customer_id),
  constraint crm_preferences_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade
);
create index idx_crm_preferences_org_id on public.crm_preferences (org_id, customer_id);
comment on table public.crm_preferences is 'How a customer wants to be contacted; one row a customer.';

create table public.crm_tags (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  name text not null,
  -- VIP and vip are one tag. A column, because lower() is not leakproof: under RLS an index on the
  -- expression would not be used.
  name_key text generated always as (lower(name)) stored,
  description text,
  color text,
  created_at timestamptz not null default now(),
  constraint crm_tags_org_id_id_key unique (org_id, id),
  constraint crm_tags_org_id_name_key unique (org_id, name),
  constraint crm_tags_org_id_name_key_key unique (org_id, name_key),
  constraint crm_tags_name_check check (btrim(name) <> '' and char_length(name) <= 100)
);
comment on table public.crm_tags is 'Labels for customers.';

create table public.crm_customer_tags (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  customer_id uuid not null,
  tag_id uuid not null,
  assigned_by_user_id uuid references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  constraint crm_customer_tags_org_id_customer_id_tag_id_key unique (org_id, customer_id, tag_id),
  constraint crm_customer_tags_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint crm_customer_tags_tag_id_fkey foreign key (org_id, tag_id)
    references public.crm_tags (org_id, id) on delete cascade
);
create index idx_crm_customer_tags_tag_id on public.crm_customer_tags (org_id, tag_id, customer_id);
create index idx_crm_customer_tags_assigned_by_user_id on public.crm_customer_tags (assigned_by_user_id);
comment on table public.crm_customer_tags is 'Which customer carries which tag.';

create trigger customers_set_updated_at before update on public.customers
  for each row execute function fieldcrm.set_updated_at();
create trigger customer_locations_set_updated_at before update on public.customer_locations
  for each row execute function fieldcrm.set_updated_at();
create trigger customer_contacts_set_updated_at before update on public.customer_contacts
  for each row execute function fieldcrm.set_updated_at();
create trigger crm_preferences_set_updated_at before update on public.crm_preferences
  for each row execute function fieldcrm.set_updated_at();

-- RLS sees rows, not columns: that only managers and above reassign a customer takes a trigger.
create function fieldcrm.guard_customer_owner() returns trigger
language plpgsql set search_path = '' as $$
begin
  if row_security_active('public.customers') and not fieldcrm.has_capability('customers.assign') then
    raise exception using errcode = '42501',
      message = 'only managers and above change the owner of a customer',
      hint = 'This needs the capability customers.assign.';
  end if;
  return new;
end $$;
create trigger customers_guard_owner before update of owner_id, owner on public.customers
  for each row when (old.owner_id is distinct from new.owner_id or old.owner is distinct from new.owner)
  execute function fieldcrm.guard_customer_owner();

-- For members, who write only what they own. A function, so that the policies of what belongs to a
-- customer carry no subquery that everybody else's statements would have to set up.
create function fieldcrm.owns_customer(customer uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.has_capability('customers.write_own') and exists (
    select from public.customers c
    where c.id = customer and c.org_id = fieldcrm.current_org_id() and c.owner_id = fieldcrm.current_profile_id());
end $$;
comment on function fieldcrm.owns_customer(uuid) is 'Whether the caller may write their own customers, and this is one.';
revoke all on function fieldcrm.owns_customer(uuid) from public, anon, authenticated, service_role;
grant execute on function fieldcrm.owns_customer(uuid) to authenticated;

alter table public.customers enable row level security;
alter table public.customers force row level security;
alter table public.customer_locations enable row level security;
alter table public.customer_locations force row level security;
alter table public.customer_contacts enable row level security;
alter table public.customer_contacts force row level security;
alter table public.crm_preferences enable row level security;
alter table public.crm_preferences force row level security;
alter table public.crm_tags enable row level security;
alter table public.crm_tags force row level security;
alter table public.crm_customer_tags enable row level security;
alter table public.crm_customer_tags force row level security;

revoke all on public.customers, public.customer_locations, public.customer_contacts, public.crm_preferences,
  public.crm_tags, public.crm_customer_tags from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.customers, public.customer_locations, public.customer_contacts,
  public.crm_preferences, public.crm_tags, public.crm_customer_tags to authenticated, service_role;

create policy "Staff see the customers of their org" on public.customers for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
create policy "Writers add customers, members their own" on public.customers for insert to authenticated
  with check (org_id = (select fieldcrm.current_org_id()) and (
    (select fieldcrm.has_capability('customers.write'))
    or (owner_id = (select fieldcrm.current_profile_id()) and (select fieldcrm.has_capability('customers.write_own')))));
create policy "Writers change customers, members their own" on public.customers for update to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (
    (select fieldcrm.has_capability('customers.write'))
    or (owner_id = (select fieldcrm.current_profile_id()) and (select fieldcrm.has_capability('customers.write_own')))))
  with check (org_id = (select fieldcrm.current_org_id()));
create policy "Admins delete customers" on public.customers for delete to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.delete')));

-- What belongs to a customer follows the customer: the same four policies on each table.
do $policies$
declare
  child text;
  may_write constant text := $$org_id = (select fieldcrm.current_org_id())
    and ((select fieldcrm.has_capability('customers.write')) or fieldcrm.owns_customer(customer_id))$$;
begin
  foreach child in array array['customer_locations', 'customer_contacts', 'crm_preferences', 'crm_customer_tags'] loop
    execute format($$create policy "Staff see what belongs to the customers of their org" on public.%I
      for select to authenticated using (org_id = (select fieldcrm.current_org_id())
        and (select fieldcrm.has_capability('customers.read')))$$, child);
    execute format($$create policy "Who may change the customer may add to it" on public.%I
      for insert to authenticated with check ($$ || may_write || ')', child);
    execute format($$create policy "Who may change the customer may change what belongs to it" on public.%I
      for update to authenticated using ($$ || may_write || ')', child);
    execute format($$create policy "Who may change the customer may remove what belongs to it" on public.%I
      for delete to authenticated using ($$ || may_write || ')', child);
  end loop;
end $policies$;

create policy "Staff see the tags of their org" on public.crm_tags for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
create policy "Who may write tags may add one" on public.crm_tags for insert to authenticated
  with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('tags.write')));
create policy "Who may write tags may change one" on public.crm_tags for update to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('tags.write')));
create policy "Who may write tags may delete one" on public.crm_tags for delete to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('tags.write')));
