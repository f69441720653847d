-- In: {org_id, rule_id or null, customer_id or null, status or null, limit, at and id: the place that the page begins
-- behind}. Out: {items: limit + 1 runs with the name of their rule, if there are so many}, newest first.
-- One branch of three runs, by what is given: each reads its own index in the order of the page and stops at the limit.
with page as (
  (select r.* from public.crm_automation_runs r
    where $1 ->> 'rule_id' is not null
      and r.org_id = ($1 ->> 'org_id')::uuid and r.rule_id = ($1 ->> 'rule_id')::uuid
      and ($1 ->> 'customer_id' is null or r.customer_id = ($1 ->> 'customer_id')::uuid)
      and ($1 ->> 'status' is null or r.status = ($1 ->> 'status')::public.automation_run_status)
      and (r.started_at, r.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
    order by r.started_at desc, r.id desc
    limit ($1 ->> 'limit')::bigint + 1)
  union all
  (select r.* from public.crm_automation_runs r
    where $1 ->> 'rule_id' is null and $1 ->> 'customer_id' is not null
      and r.org_id = ($1 ->> 'org_id')::uuid and r.customer_id = ($1 ->> 'customer_id')::uuid
      and ($1 ->> 'status' is null or r.status = ($1 ->> 'status')::public.automation_run_status)
      and (r.started_at, r.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
    order by r.started_at desc, r.id desc
    limit ($1 ->> 'limit')::bigint + 1)
  union all
  (select r.* from public.crm_automation_runs r
    where $1 ->> 'rule_id' is null and $1 ->> 'customer_id' is null
      and r.org_id = ($1 ->> 'org_id')::uuid
      and ($1 ->> 'status' is null or r.status = ($1 ->> 'status')::public.automation_run_status)
      and (r.started_at, r.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
    order by r.started_at desc, r.id desc
    limit ($1 ->> 'limit')::bigint + 1)
)
select jsonb_build_object('items', coalesce(jsonb_agg(
  to_jsonb(p) || jsonb_build_object('rule_name', r.name) order by p.started_at desc, p.id desc), '[]'))
from page p
left join public.crm_automation_rules r on r.org_id = p.org_id and r.id = p.rule_id
