-- In: {org_id, user_id or null, messages: [{ord, status, code, reason, available_at, …columns}]}, as core decided.
-- Out: [{ord, id}]: those that came into being; the others' dedupe_key is taken.
with given as materialized (
  select gen_random_uuid() as id, g.*
  from jsonb_to_recordset($1 -> 'messages') as g (ord integer, customer_id uuid, lead_id uuid, contact_id uuid, user_id uuid,
    channel text, purpose text, to_address text, subject text, body text, payload jsonb, template_id uuid, automation_run_id uuid,
    status text, code text, reason text, scheduled_at timestamptz, available_at timestamptz, expires_at timestamptz,
    dedupe_key text)
), made as (
  insert into public.crm_outbox (id, org_id, customer_id, lead_id, contact_id, user_id, channel, purpose, to_address, subject, body,
    payload, template_id, automation_run_id, status, scheduled_at, available_at, expires_at, decision_code,
    decision_reason, decided_at, completed_at, dedupe_key, created_by_user_id)
  select g.id, ($1 ->> 'org_id')::uuid,
    case when g.lead_id is null then g.customer_id
      else (select l.customer_id from public.leads l where l.org_id = ($1 ->> 'org_id')::uuid and l.id = g.lead_id) end, g.lead_id, (
      -- An endpoint that was removed since: which one it is is decided anew when the message goes out.
      select e.id from public.customer_contacts e
      where e.org_id = ($1 ->> 'org_id')::uuid and e.customer_id = g.customer_id and e.id = g.contact_id
      for key share), g.user_id, g.channel, g.purpose, g.to_address, g.subject,
    g.body, g.payload, g.template_id, g.automation_run_id, g.status, g.scheduled_at, g.available_at, g.expires_at, g.code,
    g.reason, now(), case g.status when 'refused' then now() end, g.dedupe_key, ($1 ->> 'user_id')::uuid
  from given g
  order by g.ord
  on conflict (org_id, dedupe_key) do nothing
  returning id
)
select coalesce(json_agg(json_build_object('ord', g.ord, 'id', g.id)), '[]') from made m join given g on g.id = m.id
