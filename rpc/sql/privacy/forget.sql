-- In: {org_id, ids}. Out: {}. Empties what the audit trail and the first results of idempotent calls keep of the
-- person, wherever in a result; who did what and when stays.
with person as materialized (
  select ($1 ->> 'org_id')::uuid as org_id, x.id
  from jsonb_array_elements_text($1 -> 'ids') as x (id)
), audit as (
  update public.audit_log a set old_values = null, new_values = null
  from person p
  where a.org_id = p.org_id and a.customer_id = p.id::uuid and (a.old_values is not null or a.new_values is not null)
), keys as (
  delete from fieldcrm.idempotency_keys k using person p
  where k.org_id = p.org_id and jsonb_path_exists(k.response, '$.** ? (@ == $id)', jsonb_build_object('id', p.id))
)
select '{}'::jsonb
