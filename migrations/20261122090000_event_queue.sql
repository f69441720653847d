-- Facts as events: what causes which, the queue that automation works off, and the triggers that write them
-- in the transaction of the fact.
-- squawk-ignore-file adding-field-with-default, constraint-missing-not-valid

-- Automation that acts makes new facts. The runner says on whose behalf, so that a circle of rules can be cut.
create function fieldcrm.rule_chain() returns uuid[]
language sql stable set search_path = '' as $$
  select coalesce(nullif(current_setting('fieldcrm.rule_chain', true), '')::uuid[], '{}')
$$;
comment on function fieldcrm.rule_chain() is 'The automation rules on whose behalf this transaction acts, the first one first.';
revoke all on function fieldcrm.rule_chain() from public, anon, authenticated, service_role;
grant execute on function fieldcrm.rule_chain() to authenticated, service_role;

alter table public.crm_events
  add column rule_chain uuid[] not null default fieldcrm.rule_chain();
comment on column public.crm_events.rule_chain is 'The automation rules whose actions led to it, the first one first; empty where people did.';

-- What automation has still to look at. A row goes in the transaction that acted on its event: whoever is killed
-- leaves it for the next. No foreign key: the event may be gone with its customer, and then there is nothing to do.
create table fieldcrm.event_queue (
  id bigint generated always as identity primary key,
  org_id uuid not null,
  event_id uuid not null,
  event_type text not null
);
comment on table fieldcrm.event_queue is 'Events that enabled automation rules listen to and that were not worked off yet.';
alter table fieldcrm.event_queue enable row level security;
alter table fieldcrm.event_queue force row level security;
revoke all on fieldcrm.event_queue from public, anon, authenticated, service_role;

create function fieldcrm.record_customer_events() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    insert into public.crm_events (org_id, event_type, customer_id, payload, event_key)
    select n.org_id, 'customer_created', n.id,
      jsonb_build_object('type', n.type, 'status', n.status, 'lifecycle_stage', n.lifecycle_stage, 'source', n.source),
      'customer_created:' || n.id
    from new_rows n
    on conflict (org_id, event_key) do nothing;
    return null;
  end if;
  -- The names of the fields that changed, and where the customer stood and stands. Names and addresses of people
  -- stay out of events.
  insert into public.crm_events (org_id, event_type, customer_id, payload, event_key)
  select n.org_id, 'customer_updated', n.id, jsonb_build_object('changed', d.changed,
      'from', jsonb_build_object('status', o.status, 'lifecycle_stage', o.lifecycle_stage, 'pipeline_stage', o.pipeline_stage,
        'owner_id', o.owner_id, 'product_id', o.product_id, 'is_archived', o.is_archived),
      'to', jsonb_build_object('status', n.status, 'lifecycle_stage', n.lifecycle_stage, 'pipeline_stage', n.pipeline_stage,
        'owner_id', n.owner_id, 'product_id', n.product_id, 'is_archived', n.is_archived)),
    'customer_updated:' || n.id || ':' || gen_random_uuid()
  from new_rows n
  join old_rows o using (org_id, id)
  cross join lateral (
    select jsonb_agg(f.key order by f.key) as changed
    from jsonb_each(to_jsonb(n)) f
    join jsonb_each(to_jsonb(o)) b using (key)
    where f.value is distinct from b.value and f.key not in ('updated_at', 'archived_at')
  ) d
  where d.changed is not null and n.erased_at is null and n.merged_into_id is null
  on conflict (org_id, event_key) do nothing;
  return null;
end $$;
create trigger customers_record_created after insert on public.customers
  referencing new table as new_rows for each statement execute function fieldcrm.record_customer_events();
create trigger customers_record_updated after update on public.customers
  referencing new table as new_rows old table as old_rows for each statement execute function fieldcrm.record_customer_events();

create function fieldcrm.record_interaction_events() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    insert into public.crm_events (org_id, event_type, customer_id, payload, event_key, occurred_at)
    select n.org_id, e.event_type, n.customer_id, jsonb_build_object('interaction_id', n.id, 'channel', n.channel,
        'direction', n.direction, 'type', n.type, 'sentiment', n.sentiment), e.event_type || ':' || n.id, n.occurred_at
    from new_rows n
    cross join lateral (values
      ('interaction_logged', true),
      ('message_received', n.direction = 'inbound' and n.channel in
        ('email_inbound', 'sms_inbound', 'whatsapp_inbound', 'portal_message', 'email', 'chat')),
      ('sentiment_negative', n.sentiment = 'negative')
    ) as e (event_type, happened)
    where e.happened
    on conflict (org_id, event_key) do nothing;
    return null;
  end if;
  insert into public.crm_events (org_id, event_type, customer_id, payload, event_key)
  select n.org_id, 'sentiment_negative', n.customer_id, jsonb_build_object('interaction_id', n.id, 'channel', n.channel,
      'direction', n.direction, 'type', n.type, 'sentiment', n.sentiment), 'sentiment_negative:' || n.id
  from new_rows n join old_rows o using (org_id, id)
  where n.sentiment = 'negative' and o.sentiment is distinct from n.sentiment
  on conflict (org_id, event_key) do nothing;
  return null;
end $$;
create trigger crm_interactions_record_insert after insert on public.crm_interactions
  referencing new table as new_rows for each statement execute function fieldcrm.record_interaction_events();
create trigger crm_interactions_record_update after update on public.crm_interactions
  referencing new table as new_rows old table as old_rows for each statement execute function fieldcrm.record_interaction_events();

-- work_order_created, and work_order_ with each status it comes to. It may come to one more than once.
create function fieldcrm.record_work_order_facts() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    insert into public.crm_events (org_id, event_type, customer_id, payload, event_key)
    select n.org_id, e.event_type, n.customer_id, jsonb_build_object('work_order_id', n.id, 'status', n.status,
        'service_type', n.service_type, 'window_start', n.window_start), e.event_type || ':' || n.id
    from new_rows n
    cross join lateral (values ('work_order_created', true), ('work_order_' || n.status, n.status <> 'scheduled'))
      as e (event_type, happened)
    where e.happened
    on conflict (org_id, event_key) do nothing;
    return null;
  end if;
  insert into public.crm_events (org_id, event_type, customer_id, payload, event_key)
  select n.org_id, 'work_order_' || n.status, n.customer_id, jsonb_build_object('work_order_id', n.id, 'status', n.status,
      'service_type', n.service_type, 'window_start', n.window_start),
    'work_order_' || n.status || ':' || n.id || ':' || gen_random_uuid()
  from new_rows n join old_rows o using (org_id, id)
  where n.status <> o.status
  on conflict (org_id, event_key) do nothing;
  return null;
end $$;
create trigger work_orders_record_created after insert on public.work_orders
  referencing new table as new_rows for each statement execute function fieldcrm.record_work_order_facts();
create trigger work_orders_record_status after update on public.work_orders
  referencing new table as new_rows old table as old_rows for each statement execute function fieldcrm.record_work_order_facts();

-- quote_ and invoice_ with each status but the draft, where a row begins.
create function fieldcrm.record_billing_events() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  noun constant text := case tg_table_name when 'quotes' then 'quote' else 'invoice' end;
begin
  if tg_op = 'INSERT' then
    insert into public.crm_events (org_id, event_type, customer_id, payload, event_key)
    select n.org_id, noun || '_' || n.status, n.customer_id, jsonb_build_object(noun || '_id', n.id, 'number', n.number,
        'status', n.status, 'total', n.total, 'work_order_id', n.work_order_id), noun || '_' || n.status || ':' || n.id
    from new_rows n
    where n.status <> 'draft'
    on conflict (org_id, event_key) do nothing;
    return null;
  end if;
  insert into public.crm_events (org_id, event_type, customer_id, payload, event_key)
  select n.org_id, noun || '_' || n.status, n.customer_id, jsonb_build_object(noun || '_id', n.id, 'number', n.number,
      'status', n.status, 'total', n.total, 'work_order_id', n.work_order_id),
    noun || '_' || n.status || ':' || n.id || ':' || gen_random_uuid()
  from new_rows n join old_rows o using (org_id, id)
  where n.status <> o.status and n.status <> 'draft'
  on conflict (org_id, event_key) do nothing;
  return null;
end $$;
create trigger quotes_record_insert after insert on public.quotes
  referencing new table as new_rows for each statement execute function fieldcrm.record_billing_events();
create trigger quotes_record_update after update on public.quotes
  referencing new table as new_rows old table as old_rows for each statement execute function fieldcrm.record_billing_events();
create trigger invoices_record_insert after insert on public.invoices
  referencing new table as new_rows for each statement execute function fieldcrm.record_billing_events();
create trigger invoices_record_update after update on public.invoices
  referencing new table as new_rows old table as old_rows for each statement execute function fieldcrm.record_billing_events();

revoke all on function fieldcrm.record_customer_events(), fieldcrm.record_interaction_events(),
  fieldcrm.record_work_order_facts(), fieldcrm.record_billing_events() from public, anon, authenticated, service_role;

-- Readable by every client's JSON reader, and of a size that a queue can carry.
alter table public.crm_events add constraint crm_events_payload_readable check (
  not payload @? '$.** ? (@ > 1.7e308 || @ < -1.7e308)' and not payload @? 'strict $.**{33 to last}') not valid;
alter table public.crm_events validate constraint crm_events_payload_readable;
-- As Postgres prints it: 1e308 takes five characters to send and 309 to read.
alter table public.crm_events add constraint crm_events_payload_size check (octet_length(payload::text) <= 40000) not valid;
alter table public.crm_events validate constraint crm_events_payload_size;
