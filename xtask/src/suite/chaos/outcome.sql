-- What came of the events in the org chaos.org, as one digest with its size: follow-ups, tags, messages, runs.
with org as (select chaos.id(current_setting('chaos.org'), 'org') as id),
outcome as (
  select 'followup|' || c.name || '|' || f.title as line
  from public.crm_followups f join org o on f.org_id = o.id join public.customers c on c.org_id = f.org_id and c.id = f.customer_id
  union all
  select 'tag|' || c.name || '|' || t.name
  from public.crm_customer_tags x join org o on x.org_id = o.id join public.customers c on c.org_id = x.org_id and c.id = x.customer_id
  join public.crm_tags t on t.org_id = x.org_id and t.id = x.tag_id
  union all
  select 'message|' || c.name || '|' || m.subject || '|' || m.status || '|' || m.decision_code
  from public.crm_outbox m join org o on m.org_id = o.id join public.customers c on c.org_id = m.org_id and c.id = m.customer_id
  union all
  select 'run|' || r.name || '|' || c.name || '|' || x.status || '|' || coalesce(x.skip_code, '')
  from public.crm_automation_runs x join org o on x.org_id = o.id
  join public.crm_automation_rules r on r.org_id = x.org_id and r.id = x.rule_id
  join public.customers c on c.org_id = x.org_id and c.id = x.customer_id
)
select count(*) || ' things, digest ' || md5(coalesce(string_agg(line, chr(10) order by line collate "C"), '')) from outcome
