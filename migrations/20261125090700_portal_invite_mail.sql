-- The link of an invitation that goes out by mail opens an account: it stands in no text that staff read.

create table fieldcrm.outbox_secrets (
  org_id uuid not null,
  id uuid not null,
  secret text not null,
  to_address text not null,
  constraint outbox_secrets_pkey primary key (org_id, id),
  constraint outbox_secrets_id_fkey foreign key (org_id, id) references fieldcrm.outbox_queue (org_id, id) on delete cascade,
  constraint outbox_secrets_text_check check (char_length(secret) <= 200 and char_length(to_address) <= 2000)
);
comment on table fieldcrm.outbox_secrets is 'What stands for [secret] in a message when it is handed out, and to whom alone; gone with the message''s place in the queue.';
alter table fieldcrm.outbox_secrets enable row level security;
alter table fieldcrm.outbox_secrets force row level security;
revoke all on fieldcrm.outbox_secrets from public, anon, authenticated, service_role;

alter table public.crm_outbox add column is_sealed boolean not null default false;
comment on column public.crm_outbox.is_sealed is 'Whether [secret] in its body is filled in as it goes out. Once it has gone or failed it cannot be sent again.';
