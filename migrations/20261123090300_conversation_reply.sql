-- Replies to leads go through the outbox, as everything that goes out.
-- squawk-ignore-file require-concurrent-index-creation, adding-foreign-key-constraint, constraint-missing-not-valid

alter table public.crm_outbox
  add column lead_id uuid,
  add constraint crm_outbox_lead_id_fkey foreign key (org_id, lead_id) references public.leads (org_id, id) on delete cascade,
  drop constraint crm_outbox_recipient_check,
  -- For a customer, for a lead, which may be a customer too, or for a member of the org; only the last needs no consent.
  add constraint crm_outbox_recipient_check check (num_nonnulls(customer_id, user_id, lead_id) >= 1 or channel = 'webhook');
create index idx_crm_outbox_lead_id on public.crm_outbox (org_id, lead_id) where lead_id is not null;
comment on column public.crm_outbox.lead_id is 'The lead that it answers, at the address that the lead has when it goes out.';

-- What a message that goes through the outbox is known by, and how far it came, is the outbox's to say. For the others no
-- function is called.
create function fieldcrm.follow_outbox() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update public.messages m
  set provider = coalesce(new.provider, m.provider), provider_message_id = coalesce(new.provider_message_id, m.provider_message_id),
    status = case when new.status in ('refused', 'canceled') then 'failed'
      when new.status in ('sent', 'delivered', 'read', 'failed') then new.status else m.status end
  where m.org_id = new.org_id and m.outbox_id = new.id;
  return null;
end $$;
revoke all on function fieldcrm.follow_outbox() from public, anon, authenticated, service_role;
create trigger crm_outbox_followed after update of status, provider_message_id on public.crm_outbox
  for each row when (new.lead_id is not null
    and (new.status <> old.status or new.provider_message_id is distinct from old.provider_message_id))
  execute function fieldcrm.follow_outbox();

-- What is said to a lead is for those who may enter its client.
alter policy "Staff see those of their org" on public.crm_outbox
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('customers.read'))
    and (lead_id is null or exists (select from public.leads l where l.org_id = crm_outbox.org_id and l.id = crm_outbox.lead_id)));

-- As before, and what was said to them before they were a customer; what names the customer goes with the customer.
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
  set first_name = null, last_name = null, email = null, phone = null, phone_raw = null, notes = null, tags = '[]', custom_fields = '{}'
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
