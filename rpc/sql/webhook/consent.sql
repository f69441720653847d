-- In: {org_id, channel, consents: [{n, address, reason: why nothing goes there any more, or null: it may again; at: when it was said,
-- or null: now}]}, n in the order of the events. Out: [addresses that may again]. START takes back the STOP that came before it: not a later one that
-- was faster here, nor a bounce, a complaint, or what the staff decided. Of several reasons the one that lasts stays. What was said
-- after a STOP that is late is not asked for: who said both is written to no more.
with given as materialized (
  select g.n, g.address, g.reason, least(coalesce(g.at, now()), now()) as at,
    array_position('{stop,unsubscribe,bounce,complaint}', g.reason) as lasts
  from jsonb_to_recordset($1 -> 'consents') as g (n integer, address text, reason text, at timestamptz)
), stops as materialized (
  select distinct on (g.address) g.address, g.reason, g.at
  from given g
  where g.reason in ('bounce', 'complaint') or (g.reason is not null and not exists (
    select from given s where s.address = g.address and s.reason is null and (s.at, s.n) > (g.at, g.n)))
  order by g.address, g.lasts desc, g.at desc
), stopped as (
  insert into public.crm_opt_outs as o (org_id, channel, address, reason, created_by_user_id, created_at)
  select ($1 ->> 'org_id')::uuid, $1 ->> 'channel', s.address, s.reason, null, s.at
  from stops s
  order by s.address
  on conflict (org_id, channel, address) do update set reason = excluded.reason, created_at = greatest(o.created_at, excluded.created_at)
  where o.reason <> 'manual' and (array_position('{stop,unsubscribe,bounce,complaint}', excluded.reason), excluded.created_at)
    > (array_position('{stop,unsubscribe,bounce,complaint}', o.reason), o.created_at)
), started as (
  delete from public.crm_opt_outs o using given g
  where o.org_id = ($1 ->> 'org_id')::uuid and o.channel = $1 ->> 'channel' and o.address = g.address and g.reason is null
    and o.reason in ('stop', 'unsubscribe') and o.created_at <= g.at and not exists (select from stops s where s.address = o.address)
  returning o.address
)
select coalesce(jsonb_agg(s.address), '[]') from started s
