-- Products: what the company sells, and which one a customer is interested in or has.
-- squawk-ignore-file require-concurrent-index-creation, adding-foreign-key-constraint, constraint-missing-not-valid
-- (The customers that this meets are few: no release came before it, and migrations run in a transaction.)

create table public.products (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null default fieldcrm.current_org_id() references public.orgs (id),
  name text not null,
  -- A column, because lower() is not leakproof: under RLS an index on the expression would not be used.
  name_key text generated always as (lower(name)) stored,
  description text,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint products_org_id_id_key unique (org_id, id),
  constraint products_org_id_name_key unique (org_id, name_key),
  constraint products_name_check check (btrim(name) <> '' and char_length(name) <= 200),
  constraint products_description_check check (char_length(description) <= 20000)
);
create index idx_products_is_active on public.products (org_id, is_active, name);
comment on table public.products is 'What the company sells. At most 3 are active at a time in an org.';
comment on column public.products.name is 'Unique in the org, whatever the case.';

create trigger products_set_updated_at before update on public.products
  for each row execute function fieldcrm.set_updated_at();

-- Counting alone lets two sessions pass at once; the lock makes them take turns, and the count is a
-- statement of its own, so that it sees what the other one committed.
create function fieldcrm.guard_active_products() returns trigger
language plpgsql set search_path = '' as $$
declare
  active_limit constant integer := 3;
  org uuid;
begin
  for org in select distinct n.org_id from new_rows n where n.is_active order by 1 loop
    perform pg_advisory_xact_lock(hashtextextended('fieldcrm.products:' || org::text, 0));
    if (select count(*) from public.products p where p.org_id = org and p.is_active) > active_limit then
      raise exception using errcode = 'PT422', message = 'Too many products are active',
        detail = '{"code":"product_limit"}',
        hint = format('At most %s products can be active at a time: deactivate another one first.', active_limit);
    end if;
  end loop;
  return null;
end $$;
create trigger products_guard_active_on_insert after insert on public.products
  referencing new table as new_rows for each statement execute function fieldcrm.guard_active_products();
create trigger products_guard_active_on_update after update on public.products
  referencing new table as new_rows for each statement execute function fieldcrm.guard_active_products();

alter table public.customers
  add column product_id uuid,
  add constraint customers_product_id_fkey foreign key (org_id, product_id)
    references public.products (org_id, id) on delete set null (product_id) on update cascade;
create index idx_customers_product_id on public.customers (org_id, product_id) where product_id is not null;
comment on column public.customers.product_id is 'The one product the customer is interested in or has; a deleted product leaves null.';

alter table public.products enable row level security;
alter table public.products force row level security;
revoke all on public.products from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.products to authenticated, service_role;

create policy "Staff see the products of their org" on public.products for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('products.read')));
create policy "Who may write products may add one" on public.products for insert to authenticated
  with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('products.write')));
create policy "Who may write products may change one" on public.products for update to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('products.write')));
create policy "Who may write products may delete one" on public.products for delete to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('products.write')));
