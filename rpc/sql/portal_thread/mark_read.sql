-- In: {org_id, thread_id, by: portal_customer or internal_user}, a thread that the caller sees. Out: {read}: how many of the other side's were new.
with marked as (
  update public.portal_messages m set read_at = clock_timestamp()
  where m.org_id = ($1 ->> 'org_id')::uuid and m.thread_id = ($1 ->> 'thread_id')::uuid and m.read_at is null
    and (m.sender_type = 'portal_customer') = ($1 ->> 'by' = 'internal_user')
  returning 1
)
select jsonb_build_object('read', count(*)) from marked
