-- The rival: the text on the customer's row with a trigram index, in a function that checks the org itself and hands the
-- term to the planner as a literal, as one would write it by hand. The same columns as the RPC answers with.
create table bench.customers as
select c.id, c.org_id, c.type, c.name, c.first_name, c.last_name, c.company_name, c.email, c.phone, c.status, c.lifecycle_stage,
  c.pipeline_stage, c.source, c.owner_id, c.product_id, c.is_archived, c.created_at, c.updated_at, s.search_text
from public.customers c join fieldcrm.customer_search s on s.customer_id = c.id
order by c.org_id, c.created_at;
alter table bench.customers add primary key (id);
create index on bench.customers (org_id, created_at desc, id desc);
create index on bench.customers using gin (org_id extensions.uuid_ops, search_text extensions.gin_trgm_ops);

create function bench.search(term text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  org constant uuid := fieldcrm.current_org_id();
  answer jsonb;
begin
  if org is null or not fieldcrm.has_capability('customers.read') then
    raise exception using errcode = 'PT403', message = 'you may not see customers';
  end if;
  execute format($query$
    select jsonb_build_object('customers', coalesce(jsonb_agg(to_jsonb(p) order by p.created_at desc, p.id desc), '[]'))
    from (
      select c.id, c.type, c.name, c.first_name, c.last_name, c.company_name, c.email, c.phone, c.status, c.lifecycle_stage,
        c.pipeline_stage, c.source, c.owner_id, c.product_id, c.is_archived, c.created_at, c.updated_at
      from bench.customers c
      where c.org_id = %L and c.search_text like %L and not c.is_archived
      order by c.created_at desc, c.id desc limit 20) p $query$,
    org, '%' || lower(term) || '%') into answer;
  return answer;
end $$;
grant usage on schema bench to authenticated;
grant execute on function bench.search(text) to authenticated;
