-- In: {org_id or null for all, keep: [provider], batch_limit}. Out: {lapsed}. Whose lease ran out may have gone out: back
-- to the queue where the provider knows it again, else nobody knows. There the holder may still say.
with lapsed as materialized (
  select o.org_id, o.id, o.attempts < o.max_attempts and o.provider in (select jsonb_array_elements_text($1 -> 'keep')) as again
  from public.crm_outbox o
  where o.status = 'sending' and o.leased_until < now()
    and ($1 ->> 'org_id' is null or o.org_id = ($1 ->> 'org_id')::uuid)
  order by o.leased_until
  limit ($1 ->> 'batch_limit')::bigint
  for update skip locked
), settled as (
  update public.crm_outbox o
  set status = case when l.again then 'queued' else 'unknown' end, leased_until = null,
    lease_id = case when not l.again then o.lease_id end,
    available_at = case when l.again then now() else o.available_at end,
    completed_at = case when not l.again then now() end, error_code = 'lease_expired',
    error_message = 'Who sent it did not say how it went.'
  from lapsed l where o.org_id = l.org_id and o.id = l.id
  returning 1
)
select jsonb_build_object('lapsed', (select count(*) from settled))
