-- In: {org_id, endpoint_id, status or null, limit, at and id: the place that the page begins behind}. Out: {items: limit + 1
-- messages with their attempts, if there are so many}, newest first; null if the org has no such endpoint.
with endpoint as materialized (
  select e.org_id, e.id from public.webhook_endpoints e
  where e.org_id = ($1 ->> 'org_id')::uuid and e.id = ($1 ->> 'endpoint_id')::uuid
), page as (
  select o.*
  from endpoint e
  cross join lateral (
    select o.* from public.crm_outbox o
    where o.org_id = e.org_id and o.webhook_endpoint_id = e.id and ($1 ->> 'status' is null or o.status = $1 ->> 'status')
      and (o.created_at, o.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
    order by o.created_at desc, o.id desc
    limit ($1 ->> 'limit')::bigint + 1) o
)
select case when exists (select from endpoint) then jsonb_build_object('items', (
  select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'endpoint_id', p.webhook_endpoint_id, 'event_id', p.event_id,
      'event_type', p.payload ->> 'type', 'payload', p.payload, 'status', p.status, 'attempts', p.attempts, 'max_attempts', p.max_attempts,
      'next_attempt_at', case p.status when 'queued' then p.available_at end, 'error_code', p.error_code,
      'error_message', p.error_message, 'created_at', p.created_at, 'sent_at', p.sent_at, 'completed_at', p.completed_at, 'log', (
        select coalesce(jsonb_agg(jsonb_build_object('attempted_at', a.attempted_at, 'outcome', a.outcome, 'http_status', a.http_status,
          'error_code', a.error_code, 'duration_ms', a.duration_ms) order by a.attempted_at, a.id), '[]')
        from public.webhook_attempts a where a.org_id = p.org_id and a.message_id = p.id)
    ) order by p.created_at desc, p.id desc), '[]')
  from page p)) end
