-- In: {org_id, id, user_id, customer_id, set: {full_name, phone, preferred_language, primary_location_id}}. Out: {location: whether
-- the location is the customer's}. A number replaces the one that the profile had among the contacts of the customer, unless that
-- was verified: others of the customer are reached there. Else it is added, unverified. The customer's own number is the office's to change.
with before as materialized (
  select p.id, p.org_id, p.phone as old, $1 -> 'set' ->> 'phone' as new,
    $1 -> 'set' ->> 'phone' is not null and p.phone is distinct from $1 -> 'set' ->> 'phone' as another
  from public.profiles p
  where p.org_id = ($1 ->> 'org_id')::uuid and p.id = ($1 ->> 'user_id')::uuid
    and ($1 -> 'set' ->> 'primary_location_id' is null or exists (
      select from public.customer_locations l
      where l.org_id = p.org_id and l.customer_id = ($1 ->> 'customer_id')::uuid and l.id = ($1 -> 'set' ->> 'primary_location_id')::uuid))
  for no key update
), profile as (
  update public.profiles p
  set full_name = coalesce($1 -> 'set' ->> 'full_name', p.full_name),
    phone = case when $1 -> 'set' ? 'phone' then b.new else p.phone end
  from before b where p.org_id = b.org_id and p.id = b.id and $1 -> 'set' ?| array['full_name', 'phone']
), account as (
  update public.portal_accounts a set primary_location_id = ($1 -> 'set' ->> 'primary_location_id')::uuid
  from before b where a.org_id = b.org_id and a.id = ($1 ->> 'id')::uuid and $1 -> 'set' ? 'primary_location_id'
), known as materialized (
  select k.id, k.value, k.is_verified from before b
  join public.customer_contacts k on k.org_id = b.org_id and k.customer_id = ($1 ->> 'customer_id')::uuid
    and k.type in ('mobile', 'phone') and k.value in (b.old, b.new)
  where b.another
), replaced as (
  update public.customer_contacts k set value = b.new, value_raw = b.new
  from before b
  where k.org_id = b.org_id and not k.is_verified
    and k.id = (select o.id from known o where o.value = b.old and not o.is_verified order by o.id limit 1)
    and not exists (select from known n where n.value = b.new)
), added as (
  insert into public.customer_contacts (org_id, customer_id, type, value, value_raw, is_verified, opt_in_marketing)
  select b.org_id, ($1 ->> 'customer_id')::uuid, 'mobile', b.new, b.new, false, false
  from before b where b.another and not exists (select from known n where n.value = b.new or not n.is_verified)
), customer as (
  update public.customers c set preferred_language = $1 -> 'set' ->> 'preferred_language'
  from before b
  where c.org_id = b.org_id and c.id = ($1 ->> 'customer_id')::uuid and $1 -> 'set' ? 'preferred_language'
    and c.preferred_language is distinct from $1 -> 'set' ->> 'preferred_language'
)
select jsonb_build_object('location', exists (select from before))
