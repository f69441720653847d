-- In: {org_id, customer_id or null, addresses: how the lead is reached}. Out: {customers: [up to two], locked}: the one that is named,
-- or those that are reached alike. The customer does not close until the transaction ends.
with found as materialized (
  select distinct c.id
  from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and $1 ->> 'customer_id' is not null and c.id = ($1 ->> 'customer_id')::uuid
  union
  select k.customer_id
  from public.customer_contacts k
  join public.customers c on c.org_id = k.org_id and c.id = k.customer_id
  where $1 ->> 'customer_id' is null and k.org_id = ($1 ->> 'org_id')::uuid
    and k.value = any (array(select jsonb_array_elements_text($1 -> 'addresses')))
    and k.type in ('email', 'mobile', 'phone', 'whatsapp') and c.erased_at is null and c.merged_into_id is null
), locked as materialized (
  select c.* from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id in (select f.id from found f limit 2)
  order by c.id
  for no key update
)
select jsonb_build_object('customers', coalesce(jsonb_agg(to_jsonb(l) order by l.id), '[]')) from locked l
