-- Why a follow-up was suggested.
-- squawk-ignore-file prefer-robust-stmts, constraint-missing-not-valid
-- (The follow-ups that this meets are few: no release came before it, and migrations run in a transaction.)

alter table public.crm_followups
  add column evidence jsonb,
  add constraint crm_followups_evidence_check check (origin = 'ai_recommendation' and jsonb_typeof(evidence) = 'object'
    and octet_length(evidence::text) <= 8192 or evidence is null);
comment on column public.crm_followups.evidence is 'Of what was suggested: provider, rule, reason, and facts: table, id, field and value of what it comes from.';
grant insert (evidence) on public.crm_followups to authenticated;

-- What drafts and insights are made of shows a customer, too.
alter policy "Readers leave their own name" on public.crm_access_log
  with check (org_id = (select fieldcrm.current_org_id()) and user_id = (select fieldcrm.current_profile_id())
    and operation in ('crm_get_customer', 'crm_customer_timeline', 'crm_message_context', 'crm_interaction_texts')
    and exists (select from public.customers c where c.org_id = crm_access_log.org_id and c.id = crm_access_log.customer_id));
