-- In: {org_id, id: of a message that waits, secret, to}. Out: its id. Runs as owner, in the transaction that made the message.
with sealed as (
  update public.crm_outbox o set is_sealed = true
  where o.org_id = ($1 ->> 'org_id')::uuid and o.id = ($1 ->> 'id')::uuid and o.status = 'queued'
  returning o.org_id, o.id
), kept as (
  insert into fieldcrm.outbox_secrets (org_id, id, secret, to_address)
  select s.org_id, s.id, $1 ->> 'secret', $1 ->> 'to' from sealed s
  returning id
)
select to_jsonb(k.id) from kept k
