-- Reminders of follow-ups to who is to do them.
-- squawk-ignore-file prefer-robust-stmts, require-concurrent-index-creation, constraint-missing-not-valid
-- (The follow-ups that this meets are few: no release came before it, and migrations run in a transaction.)

alter table public.crm_followups
  add column remind_at timestamptz,
  add column reminded_at timestamptz,
  add column overdue_notified_at timestamptz,
  add constraint crm_followups_remind_at_check check (
    remind_at >= '1900-01-01 00:00:00+00' and remind_at < '3000-01-01 00:00:00+00');
create index idx_crm_followups_remind_at on public.crm_followups (remind_at)
  where status = 'pending' and reminded_at is null and remind_at is not null;
create index idx_crm_followups_overdue on public.crm_followups (due_at)
  where status = 'pending' and overdue_notified_at is null;
comment on column public.crm_followups.remind_at is 'When the assignee is reminded, in the app and by e-mail.';
comment on column public.crm_followups.reminded_at is 'When the reminder was made; one for each remind_at.';
comment on column public.crm_followups.overdue_notified_at is 'When the assignee was told that it is overdue; one for each due_at.';

-- Another time is another reminder.
create function fieldcrm.reset_followup_reminders() returns trigger
language plpgsql set search_path = '' as $$
begin
  if new.remind_at is distinct from old.remind_at then
    new.reminded_at := null;
  end if;
  if new.due_at is distinct from old.due_at or (old.status <> 'pending' and new.status = 'pending') then
    new.overdue_notified_at := null;
  end if;
  return new;
end $$;
create trigger crm_followups_reset_reminders before update of remind_at, due_at, status on public.crm_followups
  for each row execute function fieldcrm.reset_followup_reminders();
revoke all on function fieldcrm.reset_followup_reminders() from public, anon, authenticated, service_role;

-- What a model proposed and somebody took over says so; what a rule of the system made, only the system says.
grant insert (remind_at, origin), update (remind_at) on public.crm_followups to authenticated;
alter policy "Writers add in their own name, members for their own" on public.crm_followups
  with check (org_id = (select fieldcrm.current_org_id())
    and created_by_user_id = (select fieldcrm.current_profile_id()) and origin in ('manual', 'ai_recommendation')
    and ((select fieldcrm.has_capability('followups.write')) or fieldcrm.owns_customer(customer_id)));
