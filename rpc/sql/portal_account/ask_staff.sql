-- In: {org_id, user_id, customers}. Out: {}. Tells those who manage the portal, once: the ids say who it is about, so that an
-- erasure has nothing to empty here.
with told as (
  insert into public.crm_notifications (org_id, user_id, customer_id, type, title, body, data, dedupe_key)
  select p.org_id, p.id, ($1 -> 'customers' ->> 0)::uuid, 'portal_signup', 'A sign-up for the portal waits',
    'Several customers have the address, or nothing may be sent to it. Merge them, or invite the person for the right one.',
    jsonb_build_object('user_id', $1 -> 'user_id', 'customer_ids', $1 -> 'customers'),
    'portal_signup:' || ($1 ->> 'user_id') || ':' || p.id
  from public.profiles p
  where p.org_id = ($1 ->> 'org_id')::uuid and p.status = 'active' and p.role in ('owner', 'admin', 'manager', 'csr')
  on conflict on constraint crm_notifications_org_id_dedupe_key_key do nothing
)
select '{}'::jsonb
