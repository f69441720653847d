-- In: {org_id, id, status, moves, eta, customer_notes, internal_notes, cancel_reason}; null leaves a text, '' clears it.
-- Out: {}, or null if nothing differs. Runs as owner, after work_order/lock.sql. The time is that of the clock: whoever
-- waited for the lock began their transaction before the one they waited for ended.
with given as materialized (
  select w.id, x.*,
    coalesce(x.new_eta, case when not x.moves then w.eta end) as eta
  from public.work_orders w, lateral (
    select ($1 ->> 'moves')::boolean as moves, $1 ->> 'status' as status, clock_timestamp() as at,
      ($1 ->> 'eta')::timestamptz as new_eta,
      nullif(coalesce($1 ->> 'customer_notes', w.customer_notes), '') as customer_notes,
      nullif(coalesce($1 ->> 'internal_notes', w.internal_notes), '') as internal_notes,
      nullif(coalesce($1 ->> 'cancel_reason', w.cancel_reason), '') as cancel_reason) x
  where w.org_id = ($1 ->> 'org_id')::uuid and w.id = ($1 ->> 'id')::uuid
)
update public.work_orders w set
  status = g.status, eta = g.eta, customer_notes = g.customer_notes, internal_notes = g.internal_notes,
  cancel_reason = g.cancel_reason,
  en_route_at = case when not g.moves then w.en_route_at when g.status = 'en_route' then g.at
    when g.status <> 'scheduled' then w.en_route_at end,
  started_at = case when not g.moves then w.started_at when g.status = 'on_site' then g.at
    when g.status not in ('scheduled', 'en_route') then w.started_at end,
  completed_at = case when not g.moves then w.completed_at when g.status = 'completed' then g.at end,
  canceled_at = case when not g.moves then w.canceled_at when g.status = 'canceled' then g.at end
from given g
where w.id = g.id and (g.moves or (w.eta, w.customer_notes, w.internal_notes, w.cancel_reason)
  is distinct from (g.eta, g.customer_notes, g.internal_notes, g.cancel_reason))
returning '{}'::jsonb
