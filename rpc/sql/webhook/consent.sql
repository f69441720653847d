-- In: {org_id, channel, consents: [{address, reason: why nothing goes there any more, or null: it may again}]}, one an address. Out: [addresses
-- that may again]. START takes back what STOP said; not a bounce, a complaint, or what the staff decided. A bounce and a complaint
-- come before a STOP of the same address: nothing the address says takes them back.
with given as materialized (
  select g.* from jsonb_to_recordset($1 -> 'consents') as g (address text, reason text)
), stopped as (
  insert into public.crm_opt_outs as o (org_id, channel, address, reason, created_by_user_id)
  select ($1 ->> 'org_id')::uuid, $1 ->> 'channel', g.address, g.reason, null
  from given g where g.reason is not null
  order by g.address
  on conflict (org_id, channel, address) do update set reason = excluded.reason
  where o.reason in ('stop', 'unsubscribe') and excluded.reason in ('bounce', 'complaint')
), started as (
  delete from public.crm_opt_outs o using given g
  where o.org_id = ($1 ->> 'org_id')::uuid and o.channel = $1 ->> 'channel' and o.address = g.address and g.reason is null
    and o.reason in ('stop', 'unsubscribe')
  returning o.address
)
select coalesce(jsonb_agg(s.address), '[]') from started s
