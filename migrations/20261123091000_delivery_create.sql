-- Events go out to the endpoints of their org: who is told, what was tried, and that one endpoint waits for no other.
-- squawk-ignore-file prefer-bigint-over-int, prefer-robust-stmts, require-concurrent-index-creation, require-concurrent-index-deletion, constraint-missing-not-valid, adding-field-with-default

-- In the transaction of the fact: a message to each endpoint that listens. Most orgs have none, and their facts pay for one look.
-- No message is about somebody who is erased or merged, also in the transaction that does it.
create function fieldcrm.queue_webhooks() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from public.webhook_endpoints e where e.is_enabled and e.org_id in (select n.org_id from new_rows n)) then
    return null;
  end if;
  insert into public.crm_outbox (org_id, customer_id, webhook_endpoint_id, event_id, channel, purpose, to_address, body, payload,
    max_attempts, decision_code, decided_at, dedupe_key)
  select n.org_id, n.customer_id, e.id, n.id, 'webhook', 'transactional', e.url, '', jsonb_build_object(
      'type', n.event_type,
      'timestamp', to_char(n.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      'data', jsonb_build_object('event_id', n.id, 'org_id', n.org_id, 'customer_id', n.customer_id, 'payload', n.payload)),
    10, 'allowed', now(), 'webhook:' || e.id || ':' || n.id
  from new_rows n
  join public.webhook_endpoints e on e.org_id = n.org_id and e.is_enabled
    and (e.event_types = '{}' or n.event_type = any (e.event_types))
  where not exists (select from public.customers c
    where c.org_id = n.org_id and c.id = n.customer_id and (c.erased_at is not null or c.merged_into_id is not null))
  -- Who deletes one at this moment is waited for: a fact does not fail because its listener just went.
  for key share of e
  on conflict (org_id, dedupe_key) do nothing;
  return null;
end $$;
create trigger crm_events_queue_webhooks after insert on public.crm_events
  referencing new table as new_rows for each statement execute function fieldcrm.queue_webhooks();

-- What waits for an endpoint that is disabled or deleted goes nowhere. What is queued by others at this moment, the
-- next claim finds.
create function fieldcrm.cancel_webhooks() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update public.crm_outbox o
  set status = 'canceled', completed_at = now(), error_code = 'endpoint_disabled', error_message = 'The endpoint was disabled or deleted.'
  where o.org_id = old.org_id and o.webhook_endpoint_id = old.id and o.status = 'queued' and o.id in (
    select q.id from fieldcrm.outbox_queue q
    where q.channel = 'webhook' and q.org_id = old.org_id and q.lane = old.id
    order by q.due_at
    -- Who disables one does not wait for ever: the claims find the rest. Of one that is deleted they would not know it.
    limit case tg_op when 'UPDATE' then 20000 end);
  return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger webhook_endpoints_cancel_disabled after update of is_enabled on public.webhook_endpoints
  for each row when (old.is_enabled and not new.is_enabled) execute function fieldcrm.cancel_webhooks();
create trigger webhook_endpoints_cancel_deleted before delete on public.webhook_endpoints
  for each row execute function fieldcrm.cancel_webhooks();
revoke all on function fieldcrm.queue_webhooks(), fieldcrm.cancel_webhooks() from public, anon, authenticated, service_role;

-- As before, but: what failed may have arrived after all, the provider that says so knows better, in whatever order it says it. And to an
-- endpoint, what was sent or canceled goes again when somebody asks for it: its receiver knows it by its id.
create or replace function fieldcrm.guard_outbox_status() returns trigger
language plpgsql set search_path = '' as $$
begin
  if not (case old.status
    when 'queued' then new.status in ('sending', 'refused', 'canceled', 'failed')
    when 'sending' then new.status in ('queued', 'sent', 'delivered', 'read', 'failed', 'unknown', 'refused', 'canceled')
    when 'sent' then new.status in ('delivered', 'read', 'failed') or (new.status = 'queued' and new.webhook_endpoint_id is not null)
    when 'delivered' then new.status = 'read'
    when 'failed' then new.status in ('queued', 'delivered', 'read')
    when 'unknown' then new.status in ('queued', 'sent', 'delivered', 'read', 'failed')
    when 'canceled' then new.status = 'queued' and new.webhook_endpoint_id is not null
    else false end)
  then
    raise exception using errcode = '23514', message = format('a message that is %s does not become %s', old.status, new.status);
  end if;
  return new;
end $$;

create table public.webhook_attempts (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  message_id uuid not null,
  outcome text not null,
  http_status integer,
  error_code text,
  duration_ms integer,
  attempted_at timestamptz not null default now(),
  constraint webhook_attempts_message_id_fkey foreign key (org_id, message_id)
    references public.crm_outbox (org_id, id) on delete cascade,
  constraint webhook_attempts_outcome_check check (outcome in ('sent', 'failed')),
  constraint webhook_attempts_http_status_check check (http_status between 100 and 999),
  constraint webhook_attempts_duration_ms_check check (duration_ms >= 0)
);
create index idx_webhook_attempts_message_id on public.webhook_attempts (org_id, message_id, attempted_at);
comment on table public.webhook_attempts is 'Each attempt to tell an endpoint of an event. Written with what the dispatcher says; goes with its message.';
comment on column public.webhook_attempts.error_code is 'http_<status>, or timeout, unreachable, connection_lost, unresolved, url_not_allowed; never what the other side wrote.';
alter table public.webhook_attempts enable row level security;
alter table public.webhook_attempts force row level security;
revoke all on public.webhook_attempts from public, anon, authenticated, service_role;
grant select on public.webhook_attempts to authenticated, service_role;
create policy "Org managers see those of their org" on public.webhook_attempts for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('org.manage')));

-- Webhooks wait in lanes, one for each endpoint (and one an org for the URLs of rules), so that a claim takes a few of each; and in
-- an index of their own, so that claims of other messages do not walk past them.
alter table fieldcrm.outbox_queue add column lane uuid;
update fieldcrm.outbox_queue q set lane = q.org_id where q.channel = 'webhook';
alter table fieldcrm.outbox_queue add constraint outbox_queue_lane_check check (channel <> 'webhook' or lane is not null);
comment on column fieldcrm.outbox_queue.lane is 'Of webhooks: the endpoint, or the org where the URL is a rule''s.';
drop index fieldcrm.idx_outbox_queue_due_at;
create index idx_outbox_queue_due_at on fieldcrm.outbox_queue (due_at) where channel <> 'webhook';
create index idx_outbox_queue_lane on fieldcrm.outbox_queue (org_id, lane, due_at) where channel = 'webhook';
create or replace function fieldcrm.queue_messages() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into fieldcrm.outbox_queue (org_id, id, channel, due_at, lane)
  select n.org_id, n.id, n.channel, coalesce(n.leased_until, n.available_at),
    case n.channel when 'webhook' then coalesce(n.webhook_endpoint_id, n.org_id) end
  from new_rows n
  where n.status in ('queued', 'sending');
  return null;
end $$;
create or replace function fieldcrm.requeue_message() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if new.status in ('queued', 'sending') then
    insert into fieldcrm.outbox_queue (org_id, id, channel, due_at, lane)
    values (new.org_id, new.id, new.channel, coalesce(new.leased_until, new.available_at),
      case new.channel when 'webhook' then coalesce(new.webhook_endpoint_id, new.org_id) end)
    on conflict (org_id, id) do update set due_at = excluded.due_at;
  else
    delete from fieldcrm.outbox_queue q where q.org_id = new.org_id and q.id = new.id;
  end if;
  return null;
end $$;
