-- The text that customers are found by: names, e-mails, phones, addresses, folded to lower case without accents.
-- A table of its own, not exposed: contacts and locations change it without touching the customer's row,
-- and its index serves the definer function behind crm_search_customers (under RLS LIKE uses no index).
-- squawk-ignore-file require-concurrent-index-creation, adding-foreign-key-constraint, constraint-missing-not-valid
-- (The customers that this meets are few: no release came before it, and migrations run in a transaction.)

create extension if not exists pg_trgm with schema extensions;
create extension if not exists unaccent with schema extensions;
create extension if not exists btree_gin with schema extensions;

create function fieldcrm.fold(value text) returns text
language sql stable parallel safe set search_path = '' as $$
  -- A sigma is written otherwise where a word ends; typed in capitals or in part it does not end there.
  select replace(lower(extensions.unaccent('extensions.unaccent'::regdictionary, value)), 'ς', 'σ')
$$;
comment on function fieldcrm.fold(text) is 'Lower case without accents: the form in which customers are searched.';
revoke all on function fieldcrm.fold(text) from public, anon, authenticated, service_role;
grant execute on function fieldcrm.fold(text) to authenticated, service_role;

create table fieldcrm.customer_search (
  customer_id uuid primary key,
  org_id uuid not null,
  created_at timestamptz not null,
  search_text text not null,
  constraint customer_search_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade on update cascade
);
create index idx_customer_search_created_at on fieldcrm.customer_search (org_id, created_at desc, customer_id desc);
create index idx_customer_search_customer_id on fieldcrm.customer_search (org_id, customer_id);
create index idx_customer_search_text on fieldcrm.customer_search
  using gin (org_id extensions.uuid_ops, search_text extensions.gin_trgm_ops);
comment on table fieldcrm.customer_search is 'What customers are found by; written by triggers, read by crm_search_customers only.';

alter table fieldcrm.customer_search enable row level security;
alter table fieldcrm.customer_search force row level security;
revoke all on fieldcrm.customer_search from public, anon, authenticated, service_role;

create function fieldcrm.search_text(customer public.customers) returns text
language sql stable set search_path = '' as $$
  select fieldcrm.fold(concat_ws(E'\n', customer.name, customer.first_name, customer.last_name, customer.company_name,
    customer.email, customer.phone, customer.external_ref,
    (select string_agg(x.value, E'\n' order by x.id) from public.customer_contacts x
      where x.org_id = customer.org_id and x.customer_id = customer.id),
    (select string_agg(concat_ws(' ', x.address_line1, x.address_line2, x.city, x.state, x.postal_code), E'\n' order by x.id)
      from public.customer_locations x where x.org_id = customer.org_id and x.customer_id = customer.id)))
$$;
revoke all on function fieldcrm.search_text(public.customers) from public, anon, authenticated, service_role;

-- Lock, then compute in a statement of its own: two sessions that add contacts to one customer both count.
create function fieldcrm.index_customers(customers uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into fieldcrm.customer_search (customer_id, org_id, created_at, search_text)
  select c.id, c.org_id, c.created_at, fieldcrm.search_text(c)
  from public.customers c where c.id = any (customers)
    and not exists (select from fieldcrm.customer_search s where s.customer_id = c.id)
  order by c.id
  on conflict do nothing;
  perform from fieldcrm.customer_search s where s.customer_id = any (customers) order by s.customer_id for update;
  update fieldcrm.customer_search s set search_text = t.search_text, created_at = t.created_at
  from (select c.id, c.created_at, fieldcrm.search_text(c) as search_text from public.customers c where c.id = any (customers)) t
  where s.customer_id = t.id and (s.search_text, s.created_at) is distinct from (t.search_text, t.created_at);
end $$;
revoke all on function fieldcrm.index_customers(uuid[]) from public, anon, authenticated, service_role;

create function fieldcrm.index_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  touched uuid[];
begin
  if tg_table_name = 'customers' and tg_op = 'INSERT' then
    -- Nobody else sees the row yet, and what belongs to it has its own trigger.
    insert into fieldcrm.customer_search (customer_id, org_id, created_at, search_text)
    select c.id, c.org_id, c.created_at, fieldcrm.search_text(c)
    from changed_rows n join public.customers c on c.id = n.id
    on conflict do nothing;
    return null;
  elsif tg_table_name = 'customers' then
    -- A change of the stage or the owner is not a change of the text.
    select array_agg(n.id) into touched from new_rows n join old_rows o using (id)
    where (n.name, n.first_name, n.last_name, n.company_name, n.email, n.phone, n.external_ref, n.created_at)
      is distinct from (o.name, o.first_name, o.last_name, o.company_name, o.email, o.phone, o.external_ref, o.created_at);
  elsif tg_op = 'UPDATE' then
    select array_agg(distinct x.customer_id) into touched
    from (select n.customer_id from new_rows n union select o.customer_id from old_rows o) x;
  else
    select array_agg(distinct x.customer_id) into touched from changed_rows x;
  end if;
  if touched is not null then
    perform fieldcrm.index_customers(touched);
  end if;
  return null;
end $$;

-- Whoever may execute a trigger function may hang it on a table of their own and feed it rows.
revoke all on function fieldcrm.index_changed() from public, anon, authenticated, service_role;

do $indexed$
declare
  tab text;
begin
  foreach tab in array array['customers', 'customer_contacts', 'customer_locations'] loop
    execute format('create trigger %I after insert on public.%I referencing new table as changed_rows
      for each statement execute function fieldcrm.index_changed()', tab || '_index_insert', tab);
    execute format('create trigger %I after update on public.%I referencing new table as new_rows old table as old_rows
      for each statement execute function fieldcrm.index_changed()', tab || '_index_update', tab);
    if tab <> 'customers' then
      execute format('create trigger %I after delete on public.%I referencing old table as changed_rows
        for each statement execute function fieldcrm.index_changed()', tab || '_index_delete', tab);
    end if;
  end loop;
end $indexed$;

insert into fieldcrm.customer_search (customer_id, org_id, created_at, search_text)
select c.id, c.org_id, c.created_at, fieldcrm.search_text(c) from public.customers c;

-- Filters of the customer list beside the stage.
create index idx_customers_status on public.customers (org_id, status, created_at desc, id desc);
create index idx_customers_lifecycle_stage on public.customers (org_id, lifecycle_stage, created_at desc, id desc);
create index idx_customers_active on public.customers (org_id, created_at desc, id desc) where not is_archived;
