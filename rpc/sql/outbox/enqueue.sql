-- In: {org_id, created_by, messages: [{n, customer_id, user_id, url, channel, …}]}. Out: [{id, created, status, code, reason,
-- available_at}] in the order of n.
with given as materialized (
  select g.*, gen_random_uuid() as id
  from jsonb_to_recordset($1 -> 'messages') as g (n integer, customer_id uuid, user_id uuid, to_address text, channel text, purpose text,
    subject text, body text, payload jsonb, template_id uuid, automation_run_id uuid, scheduled_at timestamptz, expires_at timestamptz,
    dedupe_key text, contact_id uuid)
), made as (
  insert into public.crm_outbox (id, org_id, customer_id, contact_id, user_id, channel, purpose, to_address, subject, body, payload,
    template_id, automation_run_id, scheduled_at, available_at, expires_at, dedupe_key, created_by_user_id)
  select g.id, ($1 ->> 'org_id')::uuid, g.customer_id, g.contact_id, g.user_id, g.channel, g.purpose, coalesce(g.to_address, 'nobody'),
    g.subject, g.body, g.payload, g.template_id, g.automation_run_id, coalesce(g.scheduled_at, now()), coalesce(g.scheduled_at, now()),
    g.expires_at, g.dedupe_key, ($1 ->> 'created_by')::uuid
  from given g
  order by g.dedupe_key
  on conflict (org_id, dedupe_key) do nothing
  returning id, status, available_at
)
select coalesce(jsonb_agg(jsonb_build_object('id', coalesce(m.id, o.id), 'created', m.id is not null,
  'status', coalesce(m.status, o.status), 'code', 'allowed', 'reason', null,
  'available_at', coalesce(m.available_at, o.available_at)) order by g.n), '[]')
from given g
left join made m on m.id = g.id
left join public.crm_outbox o on o.org_id = ($1 ->> 'org_id')::uuid and o.dedupe_key = g.dedupe_key
