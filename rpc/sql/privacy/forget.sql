-- In: {org_id, ids}. Out: {known}: whether the audit trail knows the person. Empties what the audit trail and the first results of idempotent calls keep of the
-- person, wherever in a result; who did what and when stays.
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
), audit as (
  update public.audit_log a set old_values = null, new_values = null
  from records r
  where a.org_id = r.org_id and a.record_id = r.record_id and (a.old_values is not null or a.new_values is not null)
), keys as (
  delete from fieldcrm.idempotency_keys k using known p
  where k.org_id = p.org_id and jsonb_path_exists(k.response, '$.** ? (@ == $id)', jsonb_build_object('id', p.id))
)
select jsonb_build_object('known', exists (select from records))
