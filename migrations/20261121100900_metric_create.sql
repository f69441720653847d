-- What lists, segments and automation ask of every customer again and again, kept current as it changes.

create table public.customer_metrics (
  customer_id uuid not null,
  org_id uuid not null,
  interactions_count bigint not null default 0,
  positive_count bigint not null default 0,
  neutral_count bigint not null default 0,
  negative_count bigint not null default 0,
  last_interaction_at timestamptz,
  jobs_count bigint not null default 0,
  open_jobs_count bigint not null default 0,
  last_service_at timestamptz,
  total_spend numeric(14, 2) not null default 0,
  balance_due numeric(14, 2) not null default 0,
  updated_at timestamptz not null default now(),
  -- The only unique key: beside a second one, on conflict fails where two sessions make the same row at once.
  constraint customer_metrics_pkey primary key (org_id, customer_id),
  constraint customer_metrics_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade
);
create index idx_customer_metrics_customer_id on public.customer_metrics (customer_id);
create index idx_customer_metrics_last_interaction_at on public.customer_metrics (org_id, last_interaction_at);
create index idx_customer_metrics_total_spend on public.customer_metrics (org_id, total_spend);
comment on table public.customer_metrics is 'Figures of a customer, written by triggers only. No row: nothing happened yet, all figures are zero.';
comment on column public.customer_metrics.jobs_count is 'Completed work orders.';
comment on column public.customer_metrics.open_jobs_count is 'Work orders that are scheduled, en route or on site.';
comment on column public.customer_metrics.last_service_at is 'When the last work order was completed.';
comment on column public.customer_metrics.total_spend is 'What was paid on invoices that are not void, in the org''s currency.';
comment on column public.customer_metrics.balance_due is 'What is open on sent invoices.';

-- The figures from scratch, to doubt those that the triggers keep.
create view public.customer_metrics_recomputed with (security_invoker = true) as
  select c.id as customer_id, c.org_id,
    coalesce(i.interactions_count, 0) as interactions_count, coalesce(i.positive_count, 0) as positive_count,
    coalesce(i.neutral_count, 0) as neutral_count, coalesce(i.negative_count, 0) as negative_count, i.last_interaction_at,
    coalesce(w.jobs_count, 0) as jobs_count, coalesce(w.open_jobs_count, 0) as open_jobs_count, w.last_service_at,
    coalesce(v.total_spend, 0)::numeric(14, 2) as total_spend, coalesce(v.balance_due, 0)::numeric(14, 2) as balance_due
  from public.customers c
  left join lateral (
    select count(*) as interactions_count, count(*) filter (where x.sentiment = 'positive') as positive_count,
      count(*) filter (where x.sentiment = 'neutral') as neutral_count,
      count(*) filter (where x.sentiment = 'negative') as negative_count, max(x.occurred_at) as last_interaction_at
    from public.crm_interactions x where x.org_id = c.org_id and x.customer_id = c.id) i on true
  left join lateral (
    select count(*) filter (where x.status = 'completed') as jobs_count,
      count(*) filter (where x.status in ('scheduled', 'en_route', 'on_site')) as open_jobs_count,
      max(x.completed_at) filter (where x.status = 'completed') as last_service_at
    from public.work_orders x where x.org_id = c.org_id and x.customer_id = c.id) w on true
  left join lateral (
    select sum(x.amount_paid) filter (where x.status <> 'void') as total_spend,
      sum(greatest(x.total - x.amount_paid, 0)) filter (where x.status = 'sent') as balance_due
    from public.invoices x where x.org_id = c.org_id and x.customer_id = c.id) v on true;
comment on view public.customer_metrics_recomputed is 'customer_metrics computed from what it sums up; slow, for repair and for doubt.';
revoke all on public.customer_metrics_recomputed from public, anon, authenticated, service_role;
grant select on public.customer_metrics_recomputed to service_role;

-- First the rows are there and locked, then they are computed by a statement of its own, whose snapshot
-- has what the sessions committed that held them. Always in the order of the ids, so that nobody deadlocks.
-- Only the figures of the table that changed: the histories of the others stay unread. (The planner does not drop
-- the joins of customer_metrics_recomputed that nobody asks for, so this says again what is summed up.)
create function fieldcrm.recompute_metrics(customers uuid[], source text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.customer_metrics (customer_id, org_id)
  select c.id, c.org_id from public.customers c where c.id = any (customers) order by c.id
  on conflict do nothing;
  perform from public.customer_metrics m where m.customer_id = any (customers) order by m.customer_id for update;
  case source
    when 'crm_interactions' then
      update public.customer_metrics m
      set (interactions_count, positive_count, neutral_count, negative_count, last_interaction_at, updated_at) = (
        select count(*), count(*) filter (where x.sentiment = 'positive'), count(*) filter (where x.sentiment = 'neutral'),
          count(*) filter (where x.sentiment = 'negative'), max(x.occurred_at), now()
        from public.crm_interactions x where x.org_id = m.org_id and x.customer_id = m.customer_id)
      where m.customer_id = any (customers);
    when 'work_orders' then
      update public.customer_metrics m
      set (jobs_count, open_jobs_count, last_service_at, updated_at) = (
        select count(*) filter (where x.status = 'completed'),
          count(*) filter (where x.status in ('scheduled', 'en_route', 'on_site')),
          max(x.completed_at) filter (where x.status = 'completed'), now()
        from public.work_orders x where x.org_id = m.org_id and x.customer_id = m.customer_id)
      where m.customer_id = any (customers);
    when 'invoices' then
      update public.customer_metrics m
      set (total_spend, balance_due, updated_at) = (
        select coalesce(sum(x.amount_paid) filter (where x.status <> 'void'), 0),
          coalesce(sum(greatest(x.total - x.amount_paid, 0)) filter (where x.status = 'sent'), 0), now()
        from public.invoices x where x.org_id = m.org_id and x.customer_id = m.customer_id)
      where m.customer_id = any (customers);
  end case;
end $$;
revoke all on function fieldcrm.recompute_metrics(uuid[], text) from public, anon, authenticated, service_role;

-- New interactions only add: the sum needs no second look at the old ones.
create function fieldcrm.count_new_interactions() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.customer_metrics as m (customer_id, org_id, interactions_count, positive_count, neutral_count,
    negative_count, last_interaction_at)
  select n.customer_id, n.org_id, count(*), count(*) filter (where n.sentiment = 'positive'),
    count(*) filter (where n.sentiment = 'neutral'), count(*) filter (where n.sentiment = 'negative'), max(n.occurred_at)
  from new_rows n group by n.customer_id, n.org_id order by n.customer_id
  on conflict (org_id, customer_id) do update set
    interactions_count = m.interactions_count + excluded.interactions_count,
    positive_count = m.positive_count + excluded.positive_count,
    neutral_count = m.neutral_count + excluded.neutral_count,
    negative_count = m.negative_count + excluded.negative_count,
    last_interaction_at = greatest(m.last_interaction_at, excluded.last_interaction_at),
    updated_at = now();
  return null;
end $$;
create trigger crm_interactions_count_new after insert on public.crm_interactions
  referencing new table as new_rows for each statement execute function fieldcrm.count_new_interactions();

-- Sentiment comes later, to few interactions at a time: it is added here and taken there, and the history is not
-- read again. A statement that changes more than that, such as whose an interaction is, recounts whom it touches.
create function fieldcrm.recount_changed_interactions() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  touched uuid[];
  only_sentiment boolean;
begin
  if tg_op = 'DELETE' then
    select array_agg(distinct x.customer_id) into touched from changed_rows x;
  else
    select array_agg(distinct x.customer_id) filter (where x.customer_id is not null), bool_and(x.only_sentiment)
    into touched, only_sentiment
    from (
      select unnest(array[o.customer_id, n.customer_id]) as customer_id,
        (o.org_id, o.customer_id, o.occurred_at) is not distinct from (n.org_id, n.customer_id, n.occurred_at) as only_sentiment
      from old_rows o full join new_rows n using (id)
      where (o.org_id, o.customer_id, o.occurred_at, o.sentiment)
        is distinct from (n.org_id, n.customer_id, n.occurred_at, n.sentiment)) x;
  end if;
  if only_sentiment then
    perform from public.customer_metrics m where m.customer_id = any (touched) order by m.customer_id for update;
    update public.customer_metrics m
    set positive_count = m.positive_count + d.positive, neutral_count = m.neutral_count + d.neutral,
      negative_count = m.negative_count + d.negative, updated_at = now()
    from (
      select x.customer_id, coalesce(sum(x.change) filter (where x.sentiment = 'positive'), 0) as positive,
        coalesce(sum(x.change) filter (where x.sentiment = 'neutral'), 0) as neutral,
        coalesce(sum(x.change) filter (where x.sentiment = 'negative'), 0) as negative
      from (
        select n.customer_id, n.sentiment, 1 as change from new_rows n
        union all
        select o.customer_id, o.sentiment, -1 from old_rows o) x
      where x.customer_id = any (touched)
      group by x.customer_id) d
    where m.customer_id = d.customer_id;
  elsif touched is not null then
    perform fieldcrm.recompute_metrics(touched, tg_table_name);
  end if;
  return null;
end $$;
create trigger crm_interactions_recount_update after update on public.crm_interactions
  referencing new table as new_rows old table as old_rows
  for each statement execute function fieldcrm.recount_changed_interactions();
create trigger crm_interactions_recount_delete after delete on public.crm_interactions
  referencing old table as changed_rows for each statement execute function fieldcrm.recount_changed_interactions();

create function fieldcrm.recount_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  touched uuid[];
begin
  if tg_op = 'UPDATE' then
    select array_agg(distinct x.customer_id) into touched
    from (select n.customer_id from new_rows n union select o.customer_id from old_rows o) x;
  else
    select array_agg(distinct x.customer_id) into touched from changed_rows x;
  end if;
  if touched is not null then
    perform fieldcrm.recompute_metrics(touched, tg_table_name);
  end if;
  return null;
end $$;

-- Whoever may execute a trigger function may hang it on a table of their own and feed it rows.
revoke all on function fieldcrm.count_new_interactions(), fieldcrm.recount_changed_interactions(), fieldcrm.recount_changed()
  from public, anon, authenticated, service_role;

do $counted$
declare
  tab text;
begin
  foreach tab in array array['work_orders', 'invoices'] loop
    execute format('create trigger %I after insert on public.%I referencing new table as changed_rows
      for each statement execute function fieldcrm.recount_changed()', tab || '_recount_insert', tab);
    execute format('create trigger %I after update on public.%I referencing new table as new_rows old table as old_rows
      for each statement execute function fieldcrm.recount_changed()', tab || '_recount_update', tab);
    execute format('create trigger %I after delete on public.%I referencing old table as changed_rows
      for each statement execute function fieldcrm.recount_changed()', tab || '_recount_delete', tab);
  end loop;
end $counted$;

alter table public.customer_metrics enable row level security;
alter table public.customer_metrics force row level security;
revoke all on public.customer_metrics from public, anon, authenticated, service_role;
grant select on public.customer_metrics to authenticated, service_role;
create policy "Staff see the figures of their org" on public.customer_metrics for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
