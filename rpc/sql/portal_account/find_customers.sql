-- In: {org_id, user_id, email}. Out: [{id, referenced: whether what the user named is this customer's}], oldest first. By the verified address
-- alone; a phone number or a reference is known to others too.
with found as (
  select k.customer_id as id from public.customer_contacts k
  where k.org_id = ($1 ->> 'org_id')::uuid and k.type = 'email' and k.value = $1 ->> 'email'
  union
  select c.id from public.customers c where c.org_id = ($1 ->> 'org_id')::uuid and c.email = $1 ->> 'email'
)
select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'referenced', coalesce(exists (
    select from public.work_orders x where x.org_id = c.org_id and x.customer_id = c.id and x.id = p.booking_reference
    union all select from public.quotes x where x.org_id = c.org_id and x.customer_id = c.id and x.id = p.booking_reference
    union all select from public.invoices x where x.org_id = c.org_id and x.customer_id = c.id and x.id = p.booking_reference
    union all select from public.portal_booking_requests x where x.org_id = c.org_id and x.customer_id = c.id and x.id = p.booking_reference),
  false)) order by c.created_at, c.id), '[]')
from found f
join public.customers c on c.org_id = ($1 ->> 'org_id')::uuid and c.id = f.id and c.erased_at is null and c.merged_into_id is null
join fieldcrm.portal_signups p on p.org_id = c.org_id and p.user_id = ($1 ->> 'user_id')::uuid
