-- Segments that are evaluated: versions of their rules, when they are due, and the events of entering and leaving.
-- squawk-ignore-file require-concurrent-index-creation, adding-foreign-key-constraint
-- (The segments that this meets are few: no release came before it, and migrations run in a transaction.)

alter table public.crm_segments
  add column version bigint not null default 1,
  add column depends_on uuid[] not null default '{}',
  add column recompute_at timestamptz not null default now();
comment on column public.crm_segments.version is 'Counts the changes of definition and ai_prompt; the database keeps it.';
comment on column public.crm_segments.depends_on is 'The segments that the definition names; written with it.';
comment on column public.crm_segments.recompute_at is 'When crm_recompute_due_segments takes it next.';
create index idx_crm_segments_recompute_at on public.crm_segments (recompute_at) where definition is not null and is_active;
create index idx_crm_segments_depends_on on public.crm_segments using gin (depends_on);

-- Only the RPCs check a definition, and what else names a segment, so only they write either.
revoke insert, update on public.crm_segments from authenticated;
grant update (description, is_active) on public.crm_segments to authenticated;

-- That a segment was computed again is no change of it.
drop trigger crm_segments_set_updated_at on public.crm_segments;
create trigger crm_segments_set_updated_at
  before update of name, description, type, definition, ai_prompt, ai_explanation, is_active on public.crm_segments
  for each row execute function fieldcrm.set_updated_at();

create table public.crm_segment_versions (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  segment_id uuid not null,
  version bigint not null,
  definition jsonb,
  ai_prompt text,
  changed_by_user_id uuid references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  constraint crm_segment_versions_org_id_segment_id_version_key unique (org_id, segment_id, version),
  constraint crm_segment_versions_segment_id_fkey foreign key (org_id, segment_id)
    references public.crm_segments (org_id, id) on delete cascade
);
create index idx_crm_segment_versions_changed_by_user_id on public.crm_segment_versions (changed_by_user_id);
comment on table public.crm_segment_versions is 'Every definition and prompt that a segment has had. Written by the database.';

create function fieldcrm.count_segment_version() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.version := old.version + 1;
  return new;
end $$;
create trigger crm_segments_count_version before update of definition, ai_prompt on public.crm_segments
  for each row when ((old.definition, old.ai_prompt) is distinct from (new.definition, new.ai_prompt))
  execute function fieldcrm.count_segment_version();

create function fieldcrm.keep_segment_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.crm_segment_versions (org_id, segment_id, version, definition, ai_prompt, changed_by_user_id)
  values (new.org_id, new.id, new.version, new.definition, new.ai_prompt, (fieldcrm.session() ->> 'user_id')::uuid);
  return null;
end $$;
create trigger crm_segments_keep_first_version after insert on public.crm_segments
  for each row execute function fieldcrm.keep_segment_version();
create trigger crm_segments_keep_version after update of definition, ai_prompt on public.crm_segments
  for each row when (old.version <> new.version) execute function fieldcrm.keep_segment_version();

create table public.crm_events (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  event_type text not null,
  customer_id uuid,
  payload jsonb not null default '{}',
  event_key text not null,
  occurred_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  constraint crm_events_org_id_event_key_key unique (org_id, event_key),
  constraint crm_events_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint crm_events_event_type_check check (event_type ~ '^[a-z][a-z0-9_]{0,59}$'),
  constraint crm_events_payload_check check (jsonb_typeof(payload) = 'object'),
  constraint crm_events_event_key_check check (char_length(event_key) between 1 and 255)
);
create index idx_crm_events_customer_id on public.crm_events (org_id, customer_id, occurred_at desc);
create index idx_crm_events_created_at on public.crm_events (org_id, created_at desc);
comment on table public.crm_events is 'What happened, for automation to act on. Written by the database.';
comment on column public.crm_events.event_key is 'What makes it the same event: a second one with the key does not come into being.';

-- A membership begins and ends once, whoever begins and ends it: its row's id makes the two events' keys.
-- Not for segments and customers that are themselves being deleted.
create function fieldcrm.record_segment_events() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  happened constant text := case tg_op when 'INSERT' then 'entered' else 'left' end;
begin
  insert into public.crm_events (org_id, event_type, customer_id, payload, event_key)
  select m.org_id, 'segment_' || happened, m.customer_id,
    jsonb_build_object('segment_id', m.segment_id, 'segment_name', s.name),
    'segment:' || m.segment_id || ':' || m.customer_id || ':' || happened || ':' || m.id
  from changed_rows m
  join public.crm_segments s on s.org_id = m.org_id and s.id = m.segment_id
  join public.customers c on c.org_id = m.org_id and c.id = m.customer_id
  on conflict (org_id, event_key) do nothing;
  return null;
end $$;
create trigger crm_segment_members_record_insert after insert on public.crm_segment_members
  referencing new table as changed_rows for each statement execute function fieldcrm.record_segment_events();
create trigger crm_segment_members_record_delete after delete on public.crm_segment_members
  referencing old table as changed_rows for each statement execute function fieldcrm.record_segment_events();

-- A value of a compiled segment, cast to the type of the third argument. Immutable, which a cast of text to a
-- timestamp or an enum is not: so the planner sees the constant, and no row pays for the cast. It is true
-- of the texts that the compiler binds: timestamps carry their zone.
create function fieldcrm.bound(document jsonb, n integer, wanted anyelement) returns anyelement
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return document #>> array['p', n::text];
end $$;
comment on function fieldcrm.bound(jsonb, integer, anyelement) is 'The n-th value of a compiled segment, in the type of the third argument.';

-- A date of a segment's rule as the instant it means in the org's time zone:
-- {now} | {at: timestamp} | {day | truncate: unit, add: interval, subtract: interval}. Arithmetic on local time.
create function fieldcrm.segment_moment(spec jsonb, at timestamptz, zone text) returns timestamptz
language plpgsql immutable parallel safe set search_path = '' as $$
declare
  local timestamp;
begin
  if spec ? 'now' then
    return at;
  elsif spec ? 'at' then
    return spec ->> 'at';
  elsif spec ? 'day' then
    local := spec ->> 'day';
  elsif spec ->> 'truncate' is not null then
    local := date_trunc(spec ->> 'truncate', at at time zone zone);
  else
    local := at at time zone zone;
  end if;
  local := local + coalesce((spec ->> 'add')::interval, '0') - coalesce((spec ->> 'subtract')::interval, '0');
  return local at time zone zone;
end $$;
comment on function fieldcrm.segment_moment(jsonb, timestamptz, text) is 'The instant that a date of a segment''s rule means.';
revoke all on function fieldcrm.bound(jsonb, integer, anyelement), fieldcrm.segment_moment(jsonb, timestamptz, text)
  from public, anon, authenticated, service_role;

alter table public.crm_segment_versions enable row level security;
alter table public.crm_segment_versions force row level security;
alter table public.crm_events enable row level security;
alter table public.crm_events force row level security;
revoke all on public.crm_segment_versions, public.crm_events from public, anon, authenticated, service_role;
grant select on public.crm_segment_versions, public.crm_events to authenticated;
grant select, insert, update, delete on public.crm_segment_versions, public.crm_events to service_role;

create policy "Staff see those of their org" on public.crm_segment_versions for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
create policy "Staff see those of their org" on public.crm_events for select to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')));
