-- In: {org_id, external_refs, emails, phones}, each a set of values. Out: [{key, value, id, external_ref, type, retired}]:
-- every customer that has one of them, once a value.
with keys as materialized (
  select 'external_ref' as key, k.value from jsonb_array_elements_text($1 -> 'external_refs') as k (value)
  union all
  select 'email', k.value from jsonb_array_elements_text($1 -> 'emails') as k (value)
  union all
  select 'phone', k.value from jsonb_array_elements_text($1 -> 'phones') as k (value)
), found as (
  select k.key, k.value, c.id from keys k join public.customers c
    on c.org_id = ($1 ->> 'org_id')::uuid and c.external_ref = k.value
  where k.key = 'external_ref'
  union
  select k.key, k.value, c.id from keys k join public.customers c
    on c.org_id = ($1 ->> 'org_id')::uuid and c.email = k.value
  where k.key = 'email'
  union
  select k.key, k.value, c.id from keys k join public.customers c
    on c.org_id = ($1 ->> 'org_id')::uuid and c.phone = k.value
  where k.key = 'phone'
  union
  select k.key, k.value, x.customer_id from keys k join public.customer_contacts x
    on x.org_id = ($1 ->> 'org_id')::uuid and x.value = k.value
  where (k.key = 'email' and x.type = 'email') or (k.key = 'phone' and x.type in ('mobile', 'phone'))
)
select jsonb_agg(jsonb_build_object('key', f.key, 'value', f.value, 'id', c.id, 'external_ref', c.external_ref,
  'type', c.type, 'retired', c.merged_into_id is not null or c.erased_at is not null) order by c.created_at, c.id)
from found f join public.customers c on c.org_id = ($1 ->> 'org_id')::uuid and c.id = f.id
