-- What Supabase Realtime streams. Filters on an old row (updates, deletes) see only the replica identity:
-- it holds what clients filter by, instead of whole rows, which would put notes and addresses into the WAL.
-- squawk-ignore-file require-concurrent-index-creation, adding-foreign-key-constraint, constraint-missing-not-valid
-- (The customers that this meets are few: no release came before it, and migrations run in a transaction.)

create unique index customers_replica_identity on public.customers (org_id, is_archived, id);
alter table public.customers replica identity using index customers_replica_identity;
create unique index products_replica_identity on public.products (org_id, is_active, id);
alter table public.products replica identity using index products_replica_identity;
alter table public.crm_interactions replica identity using index crm_interactions_org_id_customer_id_id_key;
alter table public.crm_followups replica identity using index crm_followups_org_id_customer_id_id_key;
alter table public.work_orders replica identity using index work_orders_org_id_customer_id_id_key;

do $publication$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
  alter publication supabase_realtime add table public.customers, public.products, public.crm_interactions,
    public.crm_followups, public.work_orders;
end $publication$;
