-- The end of a customer's life: archived, merged into another one, erased.
-- squawk-ignore-file require-concurrent-index-creation, adding-foreign-key-constraint, constraint-missing-not-valid
-- (The customers that this meets are few: no release came before it, and migrations run in a transaction.)

alter table public.customers
  add column archived_at timestamptz,
  add column merged_into_id uuid,
  add column erased_at timestamptz,
  add constraint customers_merged_into_id_fkey foreign key (org_id, merged_into_id)
    references public.customers (org_id, id) on delete set null (merged_into_id);
create index idx_customers_merged_into_id on public.customers (org_id, merged_into_id) where merged_into_id is not null;
comment on column public.customers.archived_at is 'When is_archived became true; the database keeps it.';
comment on column public.customers.merged_into_id is 'The customer that this duplicate was merged into; it is archived.';
comment on column public.customers.erased_at is 'When the person''s data was erased for privacy.';

create function fieldcrm.set_archived_at() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.archived_at := case when new.is_archived then now() end;
  return new;
end $$;
create trigger customers_set_archived_at before insert or update of is_archived on public.customers
  for each row execute function fieldcrm.set_archived_at();

-- What only the database and its RPCs keep is not a client's to write.
revoke update on public.customers from authenticated;
grant update (external_ref, type, name, first_name, last_name, company_name, primary_location_id, primary_contact_id,
  email, phone, phone_raw, status, lifecycle_stage, pipeline_stage, source, preferred_language, notes, owner_id, owner,
  product_id, is_archived) on public.customers to authenticated;
