-- The audit trail: who changed what, and who looked at whom. Append-only.

create table public.audit_log (
  id uuid primary key default gen_random_uuid(),
  -- No foreign keys: the trail outlives what it is about.
  org_id uuid not null,
  table_name text not null,
  record_id uuid not null,
  customer_id uuid,
  action text not null,
  old_values jsonb,
  new_values jsonb,
  user_id uuid,
  request_id text,
  ip inet,
  user_agent text,
  created_at timestamptz not null default now(),
  constraint audit_log_action_check check (action in ('insert', 'update', 'delete'))
);
create index idx_audit_log_org_id_created_at on public.audit_log (org_id, created_at desc);
create index idx_audit_log_record_id on public.audit_log (org_id, record_id, created_at desc);
create index idx_audit_log_customer_id on public.audit_log (org_id, customer_id, created_at desc) where customer_id is not null;
comment on table public.audit_log is 'Every change to personal data and money: who, when, from which request, and the columns that differ.';
comment on column public.audit_log.old_values is 'Update: the columns that differ, before. Delete: the whole row. Null after the erasure of the person.';
comment on column public.audit_log.new_values is 'Update: the columns that differ, after. Insert: the whole row. Null after the erasure of the person.';
comment on column public.audit_log.user_id is 'Null where a back-end session acted for nobody.';
comment on column public.audit_log.ip is 'The first of x-forwarded-for: true as far as the proxy in front says so.';

create table public.crm_access_log (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  customer_id uuid not null,
  operation text not null,
  user_id uuid,
  request_id text,
  ip inet,
  user_agent text,
  created_at timestamptz not null default now()
);
create index idx_crm_access_log_org_id_created_at on public.crm_access_log (org_id, created_at desc);
create index idx_crm_access_log_customer_id on public.crm_access_log (org_id, customer_id, created_at desc);
comment on table public.crm_access_log is 'Who opened the details of which customer. Written by the RPCs: a trigger does not see reads.';
comment on column public.crm_access_log.operation is 'The RPC that answered.';

-- What PostgREST says of the request. Headers are the client's: nothing here is taken for an identity.
create function fieldcrm.request_context(out request_id text, out ip inet, out user_agent text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  headers constant jsonb := nullif(current_setting('request.headers', true), '')::jsonb;
  forwarded text;
begin
  if headers is null then
    return;
  end if;
  request_id := left(headers ->> 'x-request-id', 128);
  user_agent := left(headers ->> 'user-agent', 500);
  forwarded := btrim(split_part(headers ->> 'x-forwarded-for', ',', 1));
  if forwarded ~ '^[0-9a-fA-F.:]{3,45}$' then
    begin
      ip := forwarded::inet;
    exception when invalid_text_representation then
      ip := null;
    end;
  end if;
end $$;
comment on function fieldcrm.request_context() is 'The id, the client''s address and the user agent of the HTTP request, null outside of one.';
revoke all on function fieldcrm.request_context() from public, anon, authenticated, service_role;
grant execute on function fieldcrm.request_context() to authenticated, service_role;

-- One insert a statement, however many rows it changed. Arguments: columns that are not recorded.
create function fieldcrm.audit() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  hidden constant text[] := array['updated_at'] || coalesce(tg_argv::text[], '{}');
  actor constant uuid := (fieldcrm.session() ->> 'user_id')::uuid;
  request constant record := fieldcrm.request_context();
begin
  if tg_op = 'UPDATE' then
    -- Materialized: each row becomes jsonb once, not once a column; and a plan kept from one row does not
    -- do that for every pair of a thousand.
    insert into public.audit_log (org_id, table_name, record_id, customer_id, action, old_values, new_values,
      user_id, request_id, ip, user_agent)
    with n as materialized (select x.id, to_jsonb(x) - hidden as row from new_rows x),
      o as materialized (select x.id, to_jsonb(x) - hidden as row from old_rows x)
    select (n.row ->> 'org_id')::uuid, tg_table_name, (n.row ->> 'id')::uuid,
      (n.row ->> case tg_table_name when 'customers' then 'id' else 'customer_id' end)::uuid, 'update', d.old_values, d.new_values,
      actor, request.request_id, request.ip, request.user_agent
    from n join o on o.id = n.id
    cross join lateral (
      select jsonb_object_agg(c.key, o.row -> c.key) as old_values, jsonb_object_agg(c.key, c.value) as new_values
      from jsonb_each(n.row) c where c.value is distinct from o.row -> c.key) d
    where n.row <> o.row;
  else
    insert into public.audit_log (org_id, table_name, record_id, customer_id, action, old_values, new_values,
      user_id, request_id, ip, user_agent)
    select coalesce(x.row ->> 'org_id', x.row ->> 'id')::uuid, tg_table_name, (x.row ->> 'id')::uuid,
      (x.row ->> case tg_table_name when 'customers' then 'id' else 'customer_id' end)::uuid, lower(tg_op),
      case tg_op when 'DELETE' then x.row end, case tg_op when 'INSERT' then x.row end,
      actor, request.request_id, request.ip, request.user_agent
    from (select jsonb_strip_nulls(to_jsonb(r) - hidden) as row from changed_rows r) x;
  end if;
  return null;
end $$;

-- Whoever may execute a trigger function may hang it on a table of their own and feed it rows.
revoke all on function fieldcrm.audit() from public, anon, authenticated, service_role;

do $audited$
declare
  tab text;
  hidden text;
begin
  foreach tab in array array['customers', 'customer_locations', 'customer_contacts', 'crm_preferences', 'crm_customer_tags',
    'crm_interactions', 'crm_followups', 'work_orders', 'quotes', 'invoices', 'attachments', 'documents', 'profiles', 'org_invites'] loop
    hidden := case tab when 'org_invites' then quote_literal('token_hash') else '' end;
    -- An interaction is never changed: the row itself says who logged it and when, a copy would tell no more.
    if tab <> 'crm_interactions' then
      execute format('create trigger %I after insert on public.%I referencing new table as changed_rows
        for each statement execute function fieldcrm.audit(%s)', tab || '_audit_insert', tab, hidden);
    end if;
    execute format('create trigger %I after update on public.%I referencing new table as new_rows old table as old_rows
      for each statement execute function fieldcrm.audit(%s)', tab || '_audit_update', tab, hidden);
    execute format('create trigger %I after delete on public.%I referencing old table as changed_rows
      for each statement execute function fieldcrm.audit(%s)', tab || '_audit_delete', tab, hidden);
  end loop;
end $audited$;

-- Also for the owner of the database; erasing a person empties the values and leaves the skeleton.
create function fieldcrm.guard_audit() returns trigger
language plpgsql set search_path = '' as $$
begin
  if tg_op = 'UPDATE' and to_jsonb(new) ->> 'old_values' is null and to_jsonb(new) ->> 'new_values' is null
    and to_jsonb(new) - '{old_values,new_values}'::text[] = to_jsonb(old) - '{old_values,new_values}'::text[] then
    return new;
  end if;
  raise exception using errcode = '42501', message = 'the audit trail is append-only';
end $$;
create trigger audit_log_guard before update or delete on public.audit_log
  for each row execute function fieldcrm.guard_audit();
create trigger crm_access_log_guard before update or delete on public.crm_access_log
  for each row execute function fieldcrm.guard_audit();

alter table public.audit_log enable row level security;
alter table public.audit_log force row level security;
alter table public.crm_access_log enable row level security;
alter table public.crm_access_log force row level security;
revoke all on public.audit_log, public.crm_access_log from public, anon, authenticated, service_role;
grant select on public.audit_log, public.crm_access_log to authenticated, service_role;
grant insert (org_id, customer_id, operation, user_id, request_id, ip, user_agent) on public.crm_access_log to authenticated, service_role;

create policy "Who may read the audit trail sees that of their org" on public.audit_log for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('audit.read')));
create policy "Who may read the audit trail sees who looked" on public.crm_access_log for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('audit.read')));
create policy "Readers leave their own name" on public.crm_access_log for insert to authenticated
  with check (org_id = (select fieldcrm.current_org_id()) and user_id = (select fieldcrm.current_profile_id())
    and (select fieldcrm.has_capability('customers.read')));
