-- Attachments (files in Storage that belong to a customer) and documents (what such a file is).

create table public.attachments (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  customer_id uuid not null,
  interaction_id uuid,
  work_order_id uuid,
  bucket_id text not null default 'attachments',
  object_name text not null,
  file_name text not null,
  content_type text,
  size_bytes bigint,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  constraint attachments_org_id_customer_id_id_key unique (org_id, customer_id, id),
  constraint attachments_bucket_id_object_name_key unique (bucket_id, object_name),
  constraint attachments_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint attachments_interaction_id_fkey foreign key (org_id, customer_id, interaction_id)
    references public.crm_interactions (org_id, customer_id, id) on delete set null (interaction_id),
  constraint attachments_work_order_id_fkey foreign key (org_id, customer_id, work_order_id)
    references public.work_orders (org_id, customer_id, id) on delete set null (work_order_id),
  constraint attachments_bucket_id_check check (bucket_id = 'attachments'),
  -- The first folder of an object is its org: the policies on storage.objects go by it.
  constraint attachments_object_name_check check (
    starts_with(object_name, org_id::text || '/') and char_length(object_name) <= 1000),
  constraint attachments_file_name_check check (btrim(file_name) <> '' and char_length(file_name) <= 255),
  constraint attachments_content_type_check check (char_length(content_type) <= 255),
  constraint attachments_size_bytes_check check (size_bytes >= 0)
);
create index idx_attachments_customer_id on public.attachments (org_id, customer_id, created_at desc);
create index idx_attachments_interaction_id on public.attachments (interaction_id) where interaction_id is not null;
create index idx_attachments_work_order_id on public.attachments (work_order_id) where work_order_id is not null;
create index idx_attachments_created_by_user_id on public.attachments (created_by_user_id);
comment on table public.attachments is 'Files in Storage that belong to a customer; object_name is <org id>/<customer id>/<file>.';

create table public.documents (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  customer_id uuid not null,
  type text not null,
  title text not null,
  attachment_id uuid,
  work_order_id uuid,
  quote_id uuid,
  invoice_id uuid,
  is_customer_visible boolean not null default false,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint documents_org_id_id_key unique (org_id, id),
  constraint documents_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint documents_attachment_id_fkey foreign key (org_id, customer_id, attachment_id)
    references public.attachments (org_id, customer_id, id) on delete set null (attachment_id),
  constraint documents_work_order_id_fkey foreign key (org_id, customer_id, work_order_id)
    references public.work_orders (org_id, customer_id, id) on delete set null (work_order_id),
  constraint documents_quote_id_fkey foreign key (org_id, quote_id)
    references public.quotes (org_id, id) on delete set null (quote_id),
  constraint documents_invoice_id_fkey foreign key (org_id, invoice_id)
    references public.invoices (org_id, id) on delete set null (invoice_id),
  constraint documents_type_check check (type in (
    'quote', 'invoice', 'contract', 'warranty', 'manual', 'report', 'photo', 'proposal', 'other')),
  constraint documents_title_check check (btrim(title) <> '' and char_length(title) <= 200)
);
create index idx_documents_customer_id on public.documents (org_id, customer_id, created_at desc);
create index idx_documents_attachment_id on public.documents (attachment_id) where attachment_id is not null;
create index idx_documents_work_order_id on public.documents (work_order_id) where work_order_id is not null;
create index idx_documents_quote_id on public.documents (quote_id) where quote_id is not null;
create index idx_documents_invoice_id on public.documents (invoice_id) where invoice_id is not null;
create index idx_documents_created_by_user_id on public.documents (created_by_user_id);
comment on table public.documents is 'Documents of a customer: proposals, contracts, warranties, invoices. Unseen by the customer unless said otherwise.';

create trigger documents_set_updated_at before update on public.documents
  for each row execute function fieldcrm.set_updated_at();

do $policies$
declare
  tab text;
  may_write constant text := $$org_id = (select fieldcrm.current_org_id())
    and ((select fieldcrm.has_capability('customers.write')) or fieldcrm.owns_customer(customer_id))$$;
begin
  foreach tab in array array['attachments', 'documents'] loop
    execute format('create trigger %I before insert on public.%I for each row when (new.org_id is null)
      execute function fieldcrm.set_org_id()', tab || '_set_org_id', tab);
    execute format('create trigger %I before update of created_by_user_id on public.%I for each row
      when (new.created_by_user_id is distinct from old.created_by_user_id)
      execute function fieldcrm.keep_creator()', tab || '_keep_creator', tab);
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select, insert, update, delete on public.%I to authenticated, service_role', tab);
    execute format($$create policy "Staff see those of their org" on public.%I for select to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')))$$, tab);
    execute format($$create policy "Who may change the customer may add to it" on public.%I
      for insert to authenticated with check ($$ || may_write
      || ' and created_by_user_id = (select fieldcrm.current_profile_id()))', tab);
    execute format($$create policy "Who may change the customer may change what belongs to it" on public.%I
      for update to authenticated using ($$ || may_write || ')', tab);
    execute format($$create policy "Who may change the customer may remove what belongs to it" on public.%I
      for delete to authenticated using ($$ || may_write || ')', tab);
  end loop;
end $policies$;

-- Plain Postgres has no Storage; then there are no files to guard either.
do $storage$
declare
  of_org constant text := $$bucket_id = 'attachments' and split_part(name, '/', 1) = (select fieldcrm.current_org_id())::text$$;
  -- The second folder is the customer: members keep the files of their own.
  may_write constant text := of_org || $$ and ((select fieldcrm.has_capability('customers.write')) or fieldcrm.owns_customer(
    substring(name from '^[^/]+/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/')::uuid))$$;
begin
  if to_regclass('storage.objects') is null then
    return;
  end if;
  insert into storage.buckets (id, name, public) values ('attachments', 'attachments', false) on conflict (id) do nothing;
  execute format('create policy "Staff read the attachments of their org" on storage.objects for select to authenticated
    using (%s and (select fieldcrm.has_capability(%L)))', of_org, 'customers.read');
  execute format('create policy "Who may change a customer uploads attachments" on storage.objects for insert to authenticated with check (%s)', may_write);
  execute format('create policy "Who may change a customer replaces attachments" on storage.objects for update to authenticated using (%s)', may_write);
  execute format('create policy "Who may change a customer removes attachments" on storage.objects for delete to authenticated using (%s)', may_write);
end $storage$;
