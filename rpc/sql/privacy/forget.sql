-- In: {org_id, ids}. Out: {known}: whether the audit trail knows the person. Empties what the audit trail, events and the
-- first results of idempotent calls keep of the person, wherever in a result; who did what and when stays. What automation
-- has still to do about it is not done.
-- The trail also knows duplicates that were merged into the person and deleted since, and what belonged to
-- somebody else when it was written down.
with person as materialized (
  select ($1 ->> 'org_id')::uuid as org_id, x.id
  from jsonb_array_elements_text($1 -> 'ids') as x (id)
  union
  select a.org_id, a.record_id::text
  from jsonb_array_elements_text($1 -> 'ids') as x (id)
  join public.audit_log a on a.org_id = ($1 ->> 'org_id')::uuid and a.table_name = 'customers'
    and a.new_values ->> 'merged_into_id' = x.id
), known as materialized (
  -- First results of calls are about leads too.
  select p.org_id, p.id from person p
  union
  select l.org_id, l.id::text from person p join public.leads l on l.org_id = p.org_id and l.customer_id = p.id::uuid
), records as materialized (
  select distinct a.org_id, a.record_id
  from person p join public.audit_log a on a.org_id = p.org_id and a.customer_id = p.id::uuid
), logins as materialized (
  -- Those who signed in for the person, and do not work here.
  select distinct a.org_id, x.user_id
  from records r join public.audit_log a on a.org_id = r.org_id and a.record_id = r.record_id and a.table_name = 'portal_accounts'
  cross join lateral (select (coalesce(a.new_values, a.old_values) ->> 'user_id')::uuid) as x (user_id)
  where x.user_id is not null and not exists (
      select from public.profiles p where p.org_id = a.org_id and p.id = x.user_id and p.role not in ('portal_customer', 'portal_manager'))
    and not exists (
      select from public.audit_log w where w.org_id = a.org_id and w.table_name = 'profiles' and w.record_id = x.user_id
        and coalesce(w.new_values, w.old_values) ->> 'role' not in ('portal_customer', 'portal_manager'))
), audit as (
  update public.audit_log a set old_values = null, new_values = null
  from (select r.org_id, r.record_id from records r union select l.org_id, l.user_id from logins l) r
  where a.org_id = r.org_id and a.record_id = r.record_id and (a.old_values is not null or a.new_values is not null)
), events as (
  update public.crm_events e set payload = '{}', event_key = 'erased:' || e.id
  from person p where e.org_id = p.org_id and e.customer_id = p.id::uuid
  returning e.org_id, e.id
), unqueued as (
  delete from fieldcrm.event_queue q using events e where q.org_id = e.org_id and q.event_id = e.id
), keys as (
  delete from fieldcrm.idempotency_keys k using known p
  where k.org_id = p.org_id and jsonb_path_exists(k.response, '$.** ? (@ == $id)', jsonb_build_object('id', p.id))
)
select jsonb_build_object('known', exists (select from records))
