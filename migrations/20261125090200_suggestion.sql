-- Why a follow-up was suggested.
-- squawk-ignore-file prefer-robust-stmts, constraint-missing-not-valid
-- (The follow-ups that this meets are few: no release came before it, and migrations run in a transaction.)

alter table public.crm_followups
  add column evidence jsonb,
  add constraint crm_followups_evidence_check check (origin = 'ai_recommendation' and jsonb_typeof(evidence) = 'object'
    and octet_length(evidence::text) <= 8192 or evidence is null);
comment on column public.crm_followups.evidence is 'Of what was suggested: provider, rule, reason, and facts: table, id, field and value of what it comes from.';
grant insert (evidence) on public.crm_followups to authenticated;
