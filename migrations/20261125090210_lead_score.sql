-- How likely leads are to convert, and why.
-- squawk-ignore-file prefer-robust-stmts, constraint-missing-not-valid, require-concurrent-index-creation, prefer-bigint-over-int
-- (The leads that this meets are few: no release came before it, and migrations run in a transaction.)

alter table public.leads
  add column lead_score integer,
  add column score_reasons jsonb,
  add column scored_at timestamptz,
  add constraint leads_lead_score_check check (lead_score between 0 and 100),
  add constraint leads_score_reasons_check check (jsonb_typeof(score_reasons) = 'array'),
  add constraint leads_scored_at_check check (num_nulls(lead_score, score_reasons, scored_at) in (0, 3));
-- Whose turn it is to be scored.
create index idx_leads_scored_at on public.leads (org_id, scored_at nulls first, id) where status not in ('converted', 'lost');
comment on column public.leads.lead_score is 'How likely it was to convert when it was scored, in percent; written by crm_score_leads only.';
comment on column public.leads.score_reasons is 'What moved the score most: [{feature, effect, text}].';

-- A score is no change of the lead.
create or replace trigger update_leads_timestamp before update on public.leads
  for each row when (new.scored_at is not distinct from old.scored_at) execute function public.update_updated_at();

-- The reasons tell what the lead was like.
create or replace function fieldcrm.empty_leads(of_org uuid, customer_ids uuid[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  lead_ids constant uuid[] := array(select l.id from public.leads l where l.org_id = of_org and l.customer_id = any (customer_ids));
begin
  update public.crm_outbox x
  set to_address = null, subject = null, body = '', payload = null, dedupe_key = null, provider_message_id = null,
    decision_reason = null, error_message = null, lease_id = null, leased_until = null,
    status = case x.status when 'queued' then 'canceled' when 'sending' then 'unknown' else x.status end,
    error_code = case when x.status in ('queued', 'sending') then 'erased' else x.error_code end,
    completed_at = case when x.status in ('queued', 'sending') then now() else x.completed_at end
  where x.org_id = of_org and x.lead_id = any (lead_ids) and x.customer_id is null;
  update public.leads l
  set first_name = null, last_name = null, email = null, phone = null, phone_raw = null, notes = null, tags = '[]', custom_fields = '{}',
    lead_score = null, score_reasons = null, scored_at = null
  where l.org_id = of_org and l.id = any (lead_ids);
  update public.messages m set content = '', metadata = '{}', provider_message_id = null
  where m.org_id = of_org and m.lead_id = any (lead_ids);
  update public.webhook_events e
  set payload = null, provider_event_id = 'erased:' || encode(sha256(convert_to(e.provider_event_id, 'utf8')), 'hex')
  where e.org_id = of_org and not starts_with(e.provider_event_id, 'erased:') and e.id in (
    select x.id from public.webhook_events x where x.org_id = of_org and x.lead_id = any (lead_ids)
    union all
    select x.id from public.crm_interactions i join public.webhook_events x on x.org_id = i.org_id and x.interaction_id = i.id
    where i.org_id = of_org and i.customer_id = any (customer_ids));
  return cardinality(lead_ids);
end $$;
