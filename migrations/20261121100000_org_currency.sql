-- What every table of the data layer builds on: the org's one currency, and the org of a new row.
-- squawk-ignore-file require-concurrent-index-creation, adding-foreign-key-constraint, constraint-missing-not-valid
-- (The customers that this meets are few: no release came before it, and migrations run in a transaction.)

alter table public.orgs
  add column currency text not null default 'USD',
  add constraint orgs_currency_check check (currency ~ '^[A-Z]{3}$');
comment on column public.orgs.currency is 'ISO 4217; every amount of the org is in it.';
grant update (currency) on public.orgs to authenticated;

-- A client names the customer, not the org: signed-in users work in one org only, and a back-end
-- session without app.current_org_id gets the org of the customer.
create function fieldcrm.set_org_id() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.org_id := (select c.org_id from public.customers c where c.id = new.customer_id);
  return new;
end $$;

-- Every row says who made it, and goes on saying so.
create function fieldcrm.keep_creator() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception using errcode = '42501', message = 'who created a row does not change';
end $$;

alter table public.customers alter column org_id set default fieldcrm.current_org_id();
alter table public.crm_tags alter column org_id set default fieldcrm.current_org_id();

do $defaults$
declare
  child text;
begin
  foreach child in array array['customer_locations', 'customer_contacts', 'crm_preferences', 'crm_customer_tags'] loop
    execute format('alter table public.%I alter column org_id set default fieldcrm.current_org_id()', child);
    execute format('create trigger %I before insert on public.%I for each row when (new.org_id is null)
      execute function fieldcrm.set_org_id()', child || '_set_org_id', child);
  end loop;
end $defaults$;
