-- In: {org_id, rule_id, to_owner, member_id or null, runs: [{n, run_id, customer_id, title, body, dedupe_key}]}. Out: [{id, created} or
-- {skipped: no_member}] in the order of n: nobody is told where the customer has no owner, or the member is not active.
with given as materialized (
  select g.*, p.id as member
  from jsonb_to_recordset($1 -> 'runs') as g (n integer, run_id uuid, customer_id uuid, title text, body text, dedupe_key text)
  left join public.customers c on c.org_id = ($1 ->> 'org_id')::uuid and c.id = g.customer_id
  left join public.profiles p on p.org_id = c.org_id and p.status = 'active' and p.role not in ('portal_customer', 'portal_manager')
    and p.id = case when ($1 ->> 'to_owner')::boolean then c.owner_id else ($1 ->> 'member_id')::uuid end
), made as (
  insert into public.crm_notifications (org_id, user_id, customer_id, type, title, body, data, dedupe_key)
  select ($1 ->> 'org_id')::uuid, g.member, g.customer_id, 'automation', g.title, g.body,
    jsonb_build_object('rule_id', $1 -> 'rule_id', 'run_id', g.run_id), g.dedupe_key
  from given g
  where g.member is not null
  order by g.dedupe_key
  on conflict (org_id, dedupe_key) do nothing
  returning id, dedupe_key
)
select coalesce(jsonb_agg(case when g.member is null then jsonb_build_object('skipped', 'no_member')
  else jsonb_build_object('id', coalesce(m.id, x.id), 'created', m.id is not null) end order by g.n), '[]')
from given g
left join made m on m.dedupe_key = g.dedupe_key
left join public.crm_notifications x on x.org_id = ($1 ->> 'org_id')::uuid and x.dedupe_key = g.dedupe_key
