-- The head of consent/facts.sql for whoever asks about customers, leads and members.
-- In: {orgs: [id], customers: [{org_id, id}], leads: [{org_id, id}], members: [{org_id, id}]}, each once; the key of a customer is
-- their id. rest: [[id, {customer_id, email, phone, stopped}]]: the leads; their customers are asked about too.
with leads as materialized (
  select l.org_id, l.id, l.customer_id, l.email, l.phone, array(
      select t.channel from public.crm_opt_outs t
      where t.org_id = l.org_id and ((t.channel = 'email' and t.address = l.email) or (t.channel in ('sms', 'whatsapp') and t.address = l.phone)))
    as stopped
  from jsonb_to_recordset($1 -> 'leads') as x (org_id uuid, id uuid)
  join public.leads l on l.org_id = x.org_id and l.id = x.id
), asked as materialized (
  select x.id as key, x.org_id, x.id, null::uuid as contact_id
  from jsonb_to_recordset($1 -> 'customers') as x (org_id uuid, id uuid)
  union
  select l.customer_id, l.org_id, l.customer_id, null from leads l where l.customer_id is not null
), asked_orgs as (
  select x.id::uuid as id from jsonb_array_elements_text($1 -> 'orgs') as x (id)
), asked_members as (
  select x.org_id, x.id from jsonb_to_recordset($1 -> 'members') as x (org_id uuid, id uuid)
), rest as (
  select coalesce(json_agg(json_build_array(l.id, json_build_object('customer_id', l.customer_id, 'email', l.email, 'phone', l.phone,
    'stopped', l.stopped))), '[]') as document
  from leads l
)
