-- In: {org_id, project_id, email or null, phones}. Out: {lead_id: the newest open lead of the project with that e-mail or phone, locked;
-- customer_id: where there is none, the customer that is reached so}.
with lead as materialized (
  select l.id
  from public.leads l
  where l.org_id = ($1 ->> 'org_id')::uuid and l.project_id = ($1 ->> 'project_id')::uuid and l.status not in ('converted', 'lost')
    and (l.email = $1 ->> 'email' or l.phone = any (array(select jsonb_array_elements_text($1 -> 'phones'))))
  order by l.email is not distinct from $1 ->> 'email' desc, l.created_at desc, l.id
  limit 1
  for no key update
)
select jsonb_build_object('lead_id', (select l.id from lead l), 'customer_id', (
  select c.id
  from public.customer_contacts k
  join public.customers c on c.org_id = k.org_id and c.id = k.customer_id
  where k.org_id = ($1 ->> 'org_id')::uuid and k.type in ('email', 'mobile', 'phone', 'whatsapp')
    and (k.value = $1 ->> 'email' or k.value = any (array(select jsonb_array_elements_text($1 -> 'phones'))))
    and c.erased_at is null and c.merged_into_id is null and not exists (select from lead)
  order by c.is_archived, k.is_primary desc, c.created_at desc, c.id
  limit 1))
