-- In: {org_id, portal_account_id, customer_id, context_type, related_work_order_id or null, disclaimer}. Out: the id of the conversation. Runs as owner.
with opened as (
  insert into public.portal_ai_conversations (org_id, portal_account_id, customer_id, context_type, related_work_order_id, started_at)
  values (($1 ->> 'org_id')::uuid, ($1 ->> 'portal_account_id')::uuid, ($1 ->> 'customer_id')::uuid,
    ($1 ->> 'context_type')::public.portal_ai_context, ($1 ->> 'related_work_order_id')::uuid, clock_timestamp())
  returning org_id, id, started_at
), seeded as (
  insert into public.portal_ai_messages (org_id, conversation_id, role, content, created_at)
  select o.org_id, o.id, 'system', $1 ->> 'disclaimer', o.started_at from opened o
)
select to_jsonb(o.id) from opened o
