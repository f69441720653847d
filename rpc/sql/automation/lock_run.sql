-- In: {org_id, id}. Out: {run: as claim_due.sql has it, with rule 0, is_archived, is_closed, status and evaluated: whether its conditions were checked,
-- rule}, locked with its customer; null where there is no such run. Waits for who holds them.
with picked as materialized (
  select a.* from public.crm_automation_runs a
  where a.org_id = ($1 ->> 'org_id')::uuid and a.id = ($1 ->> 'id')::uuid
  for update
), held as materialized (
  select c.* from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid and c.id = (select p.customer_id from picked p)
  for no key update
)
select jsonb_build_object(
  'run', jsonb_build_object('id', p.id, 'org_id', p.org_id, 'rule', 0, 'customer_id', p.customer_id,
    'occurrence_key', p.occurrence_key, 'event', p.trigger_context, 'rule_chain', p.rule_chain, 'skip', null),
  'is_archived', c.is_archived, 'is_closed', c.erased_at is not null or c.merged_into_id is not null,
  'status', p.status, 'evaluated', p.matched is not null, 'rule', to_jsonb(r))
from picked p
join held c on c.id = p.customer_id
join public.crm_automation_rules r on r.org_id = p.org_id and r.id = p.rule_id
