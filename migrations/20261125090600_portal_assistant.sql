-- Answers of the portal's assistant: one for each question.
-- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion, disallowed-unique-constraint, constraint-missing-not-valid, adding-foreign-key-constraint, prefer-bigint-over-smallint

alter table public.portal_ai_messages
  add column answers_message_id uuid,
  add column tries smallint not null default 0,
  add constraint portal_ai_messages_org_id_conversation_id_id_key unique (org_id, conversation_id, id),
  add constraint portal_ai_messages_answers_message_id_key unique (org_id, answers_message_id),
  add constraint portal_ai_messages_answers_message_id_fkey foreign key (org_id, conversation_id, answers_message_id)
    references public.portal_ai_messages (org_id, conversation_id, id) on delete cascade;
comment on column public.portal_ai_messages.answers_message_id is 'The question that this is the answer to.';
comment on column public.portal_ai_messages.tries is 'Of a question: how often an answer was begun.';
-- The constraint has the same rows in the same order.
drop index public.idx_portal_ai_messages_org_id;
