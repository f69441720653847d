-- What customers ask the portal's assistant, and what it answers.
-- squawk-ignore-file prefer-bigint-over-int

create type public.portal_ai_context as enum ('general_support', 'pre_booking', 'active_job', 'billing_question');
create type public.portal_ai_status as enum ('active', 'ended', 'escalated');
create type public.portal_ai_role as enum ('user', 'assistant', 'system');

create table public.portal_ai_conversations (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  portal_account_id uuid,
  customer_id uuid,
  context_type public.portal_ai_context not null default 'general_support',
  related_work_order_id uuid,
  status public.portal_ai_status not null default 'active',
  escalated_to_thread_id uuid,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  constraint portal_ai_conversations_org_id_id_key unique (org_id, id),
  constraint portal_ai_conversations_portal_account_id_fkey foreign key (org_id, portal_account_id)
    references public.portal_accounts (org_id, id) on delete set null (portal_account_id),
  constraint portal_ai_conversations_customer_id_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
  constraint portal_ai_conversations_related_work_order_id_fkey foreign key (org_id, customer_id, related_work_order_id)
    references public.work_orders (org_id, customer_id, id) on delete set null (related_work_order_id),
  constraint portal_ai_conversations_escalated_to_thread_id_fkey foreign key (org_id, customer_id, escalated_to_thread_id)
    references public.portal_threads (org_id, customer_id, id) on delete set null (escalated_to_thread_id),
  -- Who is not signed in has no customer, and no visit of one.
  constraint portal_ai_conversations_customer_id_check check (
    customer_id is not null or num_nonnulls(portal_account_id, related_work_order_id, escalated_to_thread_id) = 0)
);
create index idx_portal_ai_conversations_org_id_portal_account_id on public.portal_ai_conversations (org_id, portal_account_id, started_at desc);
create index idx_portal_ai_conversations_customer_id on public.portal_ai_conversations (org_id, customer_id) where customer_id is not null;
create index idx_portal_ai_conversations_related_work_order_id on public.portal_ai_conversations (related_work_order_id) where related_work_order_id is not null;
create index idx_portal_ai_conversations_escalated_to_thread_id on public.portal_ai_conversations (escalated_to_thread_id) where escalated_to_thread_id is not null;
comment on table public.portal_ai_conversations is 'Conversations with the portal''s assistant; without an account, of somebody who is not signed in.';

create table public.portal_ai_messages (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  conversation_id uuid not null,
  role public.portal_ai_role not null,
  content text not null,
  tokens_used integer,
  metadata jsonb,
  created_at timestamptz not null default now(),
  constraint portal_ai_messages_conversation_id_fkey foreign key (org_id, conversation_id)
    references public.portal_ai_conversations (org_id, id) on delete cascade,
  constraint portal_ai_messages_tokens_used_check check (tokens_used >= 0),
  constraint portal_ai_messages_content_check check (char_length(content) <= 50000)
);
create index idx_portal_ai_messages_conversation_id_created_at on public.portal_ai_messages (conversation_id, created_at);
create index idx_portal_ai_messages_org_id on public.portal_ai_messages (org_id, conversation_id);
comment on table public.portal_ai_messages is 'What was said in a conversation with the assistant, and what it cost.';

create trigger portal_ai_conversations_guard_closed after insert on public.portal_ai_conversations referencing new table as new_rows
  for each statement execute function fieldcrm.guard_closed_customer();
do $rls$
declare
  tab text;
begin
  foreach tab in array array['portal_ai_conversations', 'portal_ai_messages'] loop
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select on public.%I to authenticated, service_role', tab);
    execute format($$create policy "Staff see those of their org" on public.%I for select to authenticated
      using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read')))$$, tab);
  end loop;
end $rls$;
