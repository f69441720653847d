-- In: {org_id, endpoint_id, since, most}. Out: {replayed, more: whether some are left}; {disabled: true} where the endpoint is; null if
-- the org has none. The oldest first. What was canceled because the endpoint was disabled did not arrive either; of an erased
-- customer nothing is left to tell.
with endpoint as materialized (
  select e.org_id, e.id, e.is_enabled from public.webhook_endpoints e
  where e.org_id = ($1 ->> 'org_id')::uuid and e.id = ($1 ->> 'endpoint_id')::uuid
), missed as materialized (
  select o.org_id, o.id
  from endpoint e join public.crm_outbox o on o.org_id = e.org_id and o.webhook_endpoint_id = e.id
  where e.is_enabled and o.created_at >= ($1 ->> 'since')::timestamptz and o.to_address is not null
    and (o.status in ('failed', 'unknown') or (o.status = 'canceled' and o.error_code = 'endpoint_disabled'))
  order by o.created_at, o.id
  limit ($1 ->> 'most')::bigint + 1
  for update of o skip locked
), again as (
  update public.crm_outbox o
  set status = 'queued', attempts = 0, available_at = now(), lease_id = null, leased_until = null, completed_at = null
  from (select m.org_id, m.id from missed m limit ($1 ->> 'most')::bigint) m
  where o.org_id = m.org_id and o.id = m.id
  returning 1
)
select case when e.is_enabled
  then jsonb_build_object('replayed', (select count(*) from again), 'more', (select count(*) from missed) > ($1 ->> 'most')::bigint)
  else jsonb_build_object('disabled', true) end
from endpoint e
