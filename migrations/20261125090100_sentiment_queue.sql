-- How customers feel: what they write waits for the job that finds it out.
-- squawk-ignore-file prefer-bigint-over-int, adding-field-with-default

alter table public.orgs add column analyze_sentiment boolean not null default true;
comment on column public.orgs.analyze_sentiment is 'Whether the sentiment of what customers write, and of what is noted about them, is found out.';
grant update (analyze_sentiment) on public.orgs to authenticated;

-- The words of an interaction that are analysed: the subject is that of a whole conversation, and counts where nothing else is said.
create function fieldcrm.interaction_text(body text, summary text, subject text) returns text
language sql immutable set search_path = '' as $$
  select coalesce(nullif(btrim(body, E' \t\r\n'), ''), nullif(btrim(summary, E' \t\r\n'), ''), nullif(btrim(subject, E' \t\r\n'), ''))
$$;

-- Apart from the interactions, which never change. It holds no text: that is read when it is claimed, and may be gone by then.
create table fieldcrm.sentiment_queue (
  org_id uuid not null,
  interaction_id uuid not null,
  due_at timestamptz not null default now(),
  lease_id uuid,
  attempts integer not null default 0,
  reason text,
  failed_at timestamptz,
  constraint sentiment_queue_pkey primary key (org_id, interaction_id),
  constraint sentiment_queue_interaction_id_fkey foreign key (org_id, interaction_id)
    references public.crm_interactions (org_id, id) on delete cascade,
  constraint sentiment_queue_attempts_check check (attempts >= 0),
  constraint sentiment_queue_reason_check check (char_length(reason) <= 500)
);
create index idx_sentiment_queue_due_at on fieldcrm.sentiment_queue (due_at) where failed_at is null;
comment on table fieldcrm.sentiment_queue is 'Interactions whose sentiment is to be found out. A portal message is its interaction.';
comment on column fieldcrm.sentiment_queue.due_at is 'When it may be claimed; of what is claimed, when the lease runs out.';
comment on column fieldcrm.sentiment_queue.lease_id is 'The claim that has it, or was the last to; only its results are taken.';
comment on column fieldcrm.sentiment_queue.failed_at is 'When it was given up, for the reason, after five attempts.';
alter table fieldcrm.sentiment_queue enable row level security;
alter table fieldcrm.sentiment_queue force row level security;
revoke all on fieldcrm.sentiment_queue from public, anon, authenticated, service_role;

-- What the company itself says tells nothing of how its customer feels.
create function fieldcrm.queue_sentiments() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into fieldcrm.sentiment_queue (org_id, interaction_id)
  select n.org_id, n.id
  from new_rows n
  join public.orgs o on o.id = n.org_id
  where o.analyze_sentiment and n.sentiment is null and (n.direction = 'inbound' or n.direction is null)
    and fieldcrm.interaction_text(n.body, n.summary, n.subject) is not null;
  return null;
end $$;
revoke all on function fieldcrm.interaction_text(text, text, text), fieldcrm.queue_sentiments() from public, anon, authenticated, service_role;
create trigger crm_interactions_queue_sentiment after insert on public.crm_interactions
  referencing new table as new_rows for each statement execute function fieldcrm.queue_sentiments();
