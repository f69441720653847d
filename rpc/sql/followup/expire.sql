-- In: {org_id or null for all, grace_hours, batch_limit}. Out: {expired}. For sessions that bypass RLS. What somebody
-- else holds is left to the next call.
with due as materialized (
  select f.id
  from public.crm_followups f
  where f.status = 'pending' and f.due_at < now() - make_interval(hours => ($1 ->> 'grace_hours')::integer)
    and ($1 ->> 'org_id' is null or f.org_id = ($1 ->> 'org_id')::uuid)
  order by f.due_at
  limit ($1 ->> 'batch_limit')::bigint
  for update skip locked
), expired as (
  update public.crm_followups f set status = 'expired' from due d where f.id = d.id
  returning 1
)
select jsonb_build_object('expired', (select count(*) from expired))
