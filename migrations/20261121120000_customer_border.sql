-- The border, after somebody tried to get across it: keys with the tenant in front, insert by column,
-- values that Rust and JSON can read, and customers that are closed to new entries.
-- squawk-ignore-file require-concurrent-index-creation, constraint-missing-not-valid, disallowed-unique-constraint, require-concurrent-index-deletion
-- (The customers that this meets are few: no release came before it, and migrations run in a transaction.)

-- A unique key without the org is asked before the foreign key: it tells whether a row of another org has the value.
alter table public.crm_preferences drop constraint crm_preferences_customer_id_key;
drop index public.idx_crm_preferences_org_id;
alter table public.crm_preferences add constraint crm_preferences_org_id_customer_id_key unique (org_id, customer_id);
drop index public.idx_customer_contacts_customer_id;
create unique index idx_customer_contacts_customer_id on public.customer_contacts (org_id, customer_id, type, value);
drop index public.customer_contacts_one_primary_key;
create unique index customer_contacts_one_primary_key on public.customer_contacts (org_id, customer_id) where is_primary;
drop index public.customer_locations_one_primary_key;
create unique index customer_locations_one_primary_key on public.customer_locations (org_id, customer_id) where is_primary;

-- What the database keeps by itself, no client writes: neither at birth nor later.
do $grants$
declare
  tab text;
  kept constant text[] := array['created_at', 'updated_at', 'erased_at', 'merged_into_id', 'archived_at', 'name_key'];
  columns text;
begin
  foreach tab in array array['customers', 'customer_locations', 'customer_contacts', 'crm_preferences', 'crm_tags',
    'crm_customer_tags', 'products', 'work_orders', 'quotes', 'invoices', 'crm_interactions', 'crm_followups',
    'crm_message_templates', 'attachments', 'documents', 'crm_segment_members'] loop
    select string_agg(quote_ident(a.attname), ', ') into columns
    from pg_attribute a
    where a.attrelid = ('public.' || tab)::regclass and a.attnum > 0 and not a.attisdropped and a.attname <> all (kept)
      and not (tab = 'crm_interactions' and a.attname = 'sentiment')
      and not (tab = 'crm_followups' and a.attname in ('status', 'origin', 'completed_at', 'completion_notes'));
    execute format('revoke insert on public.%I from authenticated', tab);
    execute format('grant insert (%s) on public.%I to authenticated', columns, tab);
  end loop;
end $grants$;
revoke update on public.crm_followups from authenticated;
grant update (assigned_to_user_id, title, description, due_at, status, priority, completion_notes) on public.crm_followups to authenticated;
revoke update on public.attachments from authenticated;
grant update (interaction_id, work_order_id, file_name, content_type, size_bytes) on public.attachments to authenticated;
revoke insert on public.customer_interactions from authenticated;
grant insert (id, org_id, customer_id, type, channel, note, follow_up_date) on public.customer_interactions to authenticated;

alter policy "Who may change the customer may add to it" on public.crm_customer_tags
  with check (org_id = (select fieldcrm.current_org_id())
    and ((select fieldcrm.has_capability('customers.write')) or fieldcrm.owns_customer(customer_id))
    and (assigned_by_user_id is null or assigned_by_user_id = (select fieldcrm.current_profile_id())));
-- The second folder of a file is its customer; a merge may move the row, not the file.
alter policy "Who may change the customer may add to it" on public.attachments
  with check (org_id = (select fieldcrm.current_org_id())
    and ((select fieldcrm.has_capability('customers.write')) or fieldcrm.owns_customer(customer_id))
    and created_by_user_id = (select fieldcrm.current_profile_id())
    and starts_with(object_name, org_id::text || '/' || customer_id::text || '/'));
alter policy "Who may write them may add one" on public.work_orders
  with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('work_orders.write'))
    and created_by_user_id = (select fieldcrm.current_profile_id()));
alter policy "Who may write them may add one" on public.quotes
  with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('billing.write'))
    and created_by_user_id = (select fieldcrm.current_profile_id()));
alter policy "Who may write them may add one" on public.invoices
  with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('billing.write'))
    and created_by_user_id = (select fieldcrm.current_profile_id()));
alter policy "Readers leave their own name" on public.crm_access_log
  with check (org_id = (select fieldcrm.current_org_id()) and user_id = (select fieldcrm.current_profile_id())
    and operation in ('crm_get_customer', 'crm_customer_timeline')
    and exists (select from public.customers c where c.org_id = crm_access_log.org_id and c.id = crm_access_log.customer_id));
alter table public.crm_access_log
  add constraint crm_access_log_text_check check (char_length(operation) <= 300 and char_length(request_id) <= 128
    and char_length(user_agent) <= 500);

-- Postgres keeps numbers and depths that no client's JSON reader takes, and times that no calendar has.
alter table public.crm_interactions add constraint crm_interactions_metadata_readable check (
  not metadata @? '$.** ? (@ > 1.7e308 || @ < -1.7e308)' and not metadata @? 'strict $.**{33 to last}');
alter table public.crm_message_templates add constraint crm_message_templates_variables_readable check (
  not variables @? '$.** ? (@ > 1.7e308 || @ < -1.7e308)' and not variables @? 'strict $.**{33 to last}');
alter table public.crm_segment_members add constraint crm_segment_members_metadata_readable check (
  not metadata @? '$.** ? (@ > 1.7e308 || @ < -1.7e308)' and not metadata @? 'strict $.**{33 to last}'),
  add constraint crm_segment_members_score_check check (score between -1e15 and 1e15);
do $times$
declare
  c record;
begin
  for c in select a.attrelid::regclass as tab, a.attname as col from pg_attribute a join pg_class t on t.oid = a.attrelid
    where t.relnamespace = 'public'::regnamespace and t.relkind = 'r' and a.atttypid = 'timestamptz'::regtype and not a.attisdropped
      and t.relname in ('customers', 'work_orders', 'quotes', 'invoices') and a.attname not in ('updated_at') loop
    execute format('alter table %s add constraint %I check (%I between ''1900-01-01 00:00+00'' and ''2999-12-31 00:00+00'')',
      c.tab, c.tab || '_' || c.col || '_range', c.col);
  end loop;
end $times$;
-- Infinity minus infinity is an error of its own: the range comes first.
alter table public.work_orders drop constraint work_orders_window_check,
  add constraint work_orders_window_check check ((window_start is null) = (window_end is null) and case
    when window_start >= '1900-01-01 00:00+00' and window_end <= '2999-12-31 00:00+00'
    then window_end > window_start and window_end - window_start <= interval '31 days' else window_start is null end);

-- An erased customer takes nothing new, and neither does a duplicate: what came there would be lost to the customer it
-- was merged into. Who waited for the erasure or the merge (foreign keys lock the customer) learns it here, in a new snapshot.
-- The transaction that closes a customer still works on it: its now() is the time of the closing.
create function fieldcrm.guard_closed_customer() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  closed record;
begin
  select c.id, c.merged_into_id into closed
  from public.customers c
  where (c.org_id, c.id) in (select n.org_id, n.customer_id from new_rows n)
    and ((c.erased_at is not null and c.erased_at <> now())
      or (c.merged_into_id is not null and c.updated_at <> now()))
  limit 1;
  if found then
    raise exception using errcode = '23503', message = case when closed.merged_into_id is null
        then 'the customer was erased' else 'the customer was merged into another one' end,
      detail = jsonb_build_object('code', 'wrong_state', 'merged_into_id', closed.merged_into_id)::text,
      hint = 'Use the customer that is left.';
  end if;
  return null;
end $$;
revoke all on function fieldcrm.guard_closed_customer() from public, anon, authenticated, service_role;
do $guards$
declare
  tab text;
begin
  foreach tab in array array['customer_locations', 'customer_contacts', 'crm_preferences', 'crm_customer_tags', 'work_orders',
    'quotes', 'invoices', 'crm_interactions', 'crm_followups', 'attachments', 'documents', 'crm_segment_members'] loop
    execute format('create trigger %I after insert on public.%I referencing new table as new_rows
      for each statement execute function fieldcrm.guard_closed_customer()', tab || '_guard_closed', tab);
  end loop;
end $guards$;

create function fieldcrm.keep_closed_customer() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception using errcode = '23503', message = case when old.erased_at is not null
      then 'the customer was erased' else 'the customer was merged into another one' end,
    detail = jsonb_build_object('code', 'wrong_state', 'merged_into_id', old.merged_into_id)::text,
    hint = 'Use the customer that is left.';
end $$;
create trigger customers_keep_closed before update of type, name, first_name, last_name, company_name, email, phone, phone_raw,
    status, lifecycle_stage, pipeline_stage, source, preferred_language, notes, external_ref, owner, is_archived
  on public.customers for each row
  when ((old.erased_at <> now() or (old.merged_into_id is not null and old.updated_at <> now())) and new.erased_at is not distinct from old.erased_at
    and new.merged_into_id is not distinct from old.merged_into_id)
  execute function fieldcrm.keep_closed_customer();

-- A follow-up opens and closes; only a job lets it expire.
create or replace function fieldcrm.set_followup_completed_at() returns trigger
language plpgsql set search_path = '' as $$
begin
  if tg_op = 'UPDATE' and old.status <> new.status and row_security_active('public.crm_followups')
    and (new.status = 'expired' or (old.status <> 'pending' and new.status <> 'pending')) then
    raise exception using errcode = 'PT409', message = 'This is not possible in the present state',
      detail = '{"code":"wrong_state"}', hint = format('It is %s: open it again first.', old.status);
  end if;
  new.completed_at := case when new.status = 'completed' then coalesce(new.completed_at, now()) end;
  return new;
end $$;
