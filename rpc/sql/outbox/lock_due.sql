-- In: {org_id or null for all, channels: [text], batch_limit}. Out: [{id, org_id, customer_id, contact_id, user_id, channel,
-- purpose, to, expires_at, created_at}]: what is due, the longest due first, locked; what another session holds is left
-- to it.
with due as materialized (
  select o.id, o.org_id, o.customer_id, o.contact_id, o.user_id, o.channel, o.purpose, o.to_address as "to", o.expires_at,
    o.created_at
  from public.crm_outbox o
  where o.status = 'queued' and o.available_at <= now()
    and o.channel = any (array(select jsonb_array_elements_text($1 -> 'channels')))
    and ($1 ->> 'org_id' is null or o.org_id = ($1 ->> 'org_id')::uuid)
  order by o.available_at, o.id
  limit ($1 ->> 'batch_limit')::bigint
  for update skip locked
)
select coalesce(json_agg(row_to_json(d)), '[]') from due d
