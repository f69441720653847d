-- In: {org_id, customer_id, email}. Out: whether the database has invited the address in the last hour and nobody has come. Who signs up again and
-- again fills nobody's mailbox.
select to_jsonb(exists (
  select from public.portal_invites i
  where i.org_id = ($1 ->> 'org_id')::uuid and i.customer_id = ($1 ->> 'customer_id')::uuid and i.email = $1 ->> 'email'
    and i.created_by_user_id is null and i.used_at is null and i.revoked_at is null and i.created_at > now() - interval '1 hour'))
