-- In: {org_id, ids, reason or null}. Out: {erased_at, attachments: [{bucket_id, object_name}], logins: [of portal users]}.
-- One statement for everything that says who the person is. Numbers and amounts stay, as the law wants them; so does that an
-- address said stop (crm_opt_outs), which holds for whoever has it next.
-- The triggers write what was there into the audit trail, and events, once more: privacy/forget.sql comes after it.
with person as materialized (
  select ($1 ->> 'org_id')::uuid as org_id, x.id::uuid as id
  from jsonb_array_elements_text($1 -> 'ids') as x (id)
), customer as (
  update public.customers c
  set name = 'Erased customer', first_name = null, last_name = null, company_name = null, email = null, phone = null,
    phone_raw = null, source = null, preferred_language = null, notes = null, external_ref = null, owner = null,
    primary_contact_id = null, primary_location_id = null, product_id = null, status = 'inactive', is_archived = true,
    erased_at = now()
  from person p where c.org_id = p.org_id and c.id = p.id
), contacts as (
  delete from public.customer_contacts x using person p where x.org_id = p.org_id and x.customer_id = p.id
), locations as (
  delete from public.customer_locations x using person p where x.org_id = p.org_id and x.customer_id = p.id
), preferences as (
  insert into public.crm_preferences as x (org_id, customer_id, do_not_contact, do_not_email, do_not_sms, do_not_call)
  select p.org_id, p.id, true, true, true, true from person p
  on conflict (org_id, customer_id) do update set do_not_contact = true, do_not_email = true, do_not_sms = true, do_not_call = true,
    preferred_contact_window_start = null, preferred_contact_window_end = null, notes = null
), untagged as (
  delete from public.crm_customer_tags x using person p where x.org_id = p.org_id and x.customer_id = p.id
), unsegmented as (
  delete from public.crm_segment_members x using person p where x.org_id = p.org_id and x.customer_id = p.id
), interactions as (
  update public.crm_interactions x
  set location_id = null, type = null, subject = null, summary = null, body = null, metadata = null
  from person p where x.org_id = p.org_id and x.customer_id = p.id
), followups as (
  update public.crm_followups x
  set title = 'Erased', description = null, completion_notes = null, dedupe_key = null, evidence = null,
    status = case x.status when 'pending' then 'canceled' else x.status end
  from person p where x.org_id = p.org_id and x.customer_id = p.id
), work_orders as (
  update public.work_orders x
  set location_id = null, title = 'Erased', description = null, customer_notes = null, internal_notes = null,
    cancel_reason = null
  from person p where x.org_id = p.org_id and x.customer_id = p.id
), visit_plans as (
  update public.visit_plans x set location_id = null, title = 'Erased', is_active = false
  from person p where x.org_id = p.org_id and x.customer_id = p.id
), holds as (
  delete from public.portal_booking_holds x using person p where x.org_id = p.org_id and x.customer_id = p.id
), booking_requests as (
  delete from public.portal_booking_requests x using person p where x.org_id = p.org_id and x.customer_id = p.id
), quotes as (
  update public.quotes x set notes = null
  from person p where x.org_id = p.org_id and x.customer_id = p.id and x.notes is not null
), invoices as (
  update public.invoices x set notes = null
  from person p where x.org_id = p.org_id and x.customer_id = p.id and x.notes is not null
), documents as (
  delete from public.documents x using person p where x.org_id = p.org_id and x.customer_id = p.id
), attachments as (
  delete from public.attachments x using person p where x.org_id = p.org_id and x.customer_id = p.id
  returning x.bucket_id, x.object_name
), sent as (
  -- Of a lead who is the person, also before they were a customer. What the function below empties is still read here.
  select m.metadata
  from person p
  join public.leads l on l.org_id = p.org_id and l.customer_id = p.id
  join public.messages m on m.org_id = l.org_id and m.lead_id = l.id and m.direction = 'inbound' and m.metadata ? 'attachments'
), unclaimed as materialized (
  -- What the person wrote where no project took it, before anybody knew who they are.
  select e.id, e.payload
  from (
    select p.org_id, k.value as address from person p join public.customer_contacts k on k.org_id = p.org_id and k.customer_id = p.id
    union
    select p.org_id, v.address from person p join public.leads l on l.org_id = p.org_id and l.customer_id = p.id
    cross join lateral (values (l.email), (l.phone)) as v (address)
  ) a
  join public.webhook_events e on e.org_id = a.org_id and e.payload ->> 'from' = a.address and e.outcome = 'no_project'
), files as (
  select distinct 'attachments' as bucket_id, f.x #>> '{}' as object_name
  from (select s.metadata from sent s union all select u.payload -> 'metadata' from unclaimed u) m
  cross join lateral jsonb_path_query(m.metadata, '$.attachments[*].object_name ? (@.type() == "string")') as f (x)
  where starts_with(f.x #>> '{}', ($1 ->> 'org_id') || '/inbound/')
), emptied as (
  update public.webhook_events e
  set payload = null, provider_event_id = 'erased:' || encode(sha256(convert_to(e.provider_event_id, 'utf8')), 'hex')
  from unclaimed u
  where e.org_id = ($1 ->> 'org_id')::uuid and e.id = u.id
), messages as (
  -- Nobody knows whether one that is being sent still arrives. The provider's id goes: WhatsApp's has the number in it.
  update public.crm_outbox x
  set to_address = null, subject = null, body = '', payload = null, dedupe_key = null, provider_message_id = null,
    decision_reason = null, error_message = null, lease_id = null, leased_until = null,
    status = case x.status when 'queued' then 'canceled' when 'sending' then 'unknown' else x.status end,
    error_code = case when x.status in ('queued', 'sending') then 'erased' else x.error_code end,
    completed_at = case when x.status in ('queued', 'sending') then now() else x.completed_at end
  from person p where x.org_id = p.org_id and x.customer_id = p.id
), runs as (
  update public.crm_automation_runs x
  set occurrence_key = 'erased:' || x.id, trigger_context = null, matched = null, results = null, skip_reason = null,
    error_message = null, completed_at = coalesce(x.completed_at, now()),
    status = case x.status when 'pending' then 'skipped' else x.status end,
    skip_code = case x.status when 'pending' then 'erased' else x.skip_code end
  from person p where x.org_id = p.org_id and x.customer_id = p.id
), waiting_scores as (
  delete from fieldcrm.ai_job_customers x using person p where x.org_id = p.org_id and x.customer_id = p.id
), enrollments as (
  delete from fieldcrm.automation_enrollments x using person p where x.org_id = p.org_id and x.customer_id = p.id
), notices as (
  delete from public.crm_notifications x using person p where x.org_id = p.org_id and x.customer_id = p.id
), accounts as (
  update public.portal_accounts x set status = 'closed', primary_location_id = null, last_login_at = null
  from person p where x.org_id = p.org_id and x.customer_id = p.id
  returning x.org_id, x.id, x.user_id
), account_preferences as (
  delete from public.portal_notification_preferences x using accounts a where x.org_id = a.org_id and x.portal_account_id = a.id
), account_access as (
  delete from public.portal_account_access x using person p where x.org_id = p.org_id and x.customer_id = p.id
), account_events as (
  update public.portal_audit_events x set event_payload = null, ip_address = null, user_agent = null
  from accounts a where x.org_id = a.org_id and x.portal_account_id = a.id
), invites as (
  delete from public.portal_invites x using person p where x.org_id = p.org_id and x.customer_id = p.id
), signups as (
  delete from fieldcrm.portal_signups x
  using person p join public.customer_contacts k on k.org_id = p.org_id and k.customer_id = p.id and k.type = 'email'
    join auth.users u on lower(u.email) = k.value
  where x.org_id = p.org_id and x.user_id = u.id
), logins as (
  -- Whoever works here, and is a customer too, stays who they are.
  update public.profiles x set status = 'inactive', email = null, full_name = null, phone = null, avatar_url = null
  from accounts a where x.org_id = a.org_id and x.id = a.user_id and x.role in ('portal_customer', 'portal_manager')
), portal_files as materialized (
  select distinct 'attachments' as bucket_id, f ->> 'object_name' as object_name
  from person p
  cross join lateral (select x.attachments from public.portal_messages x where x.org_id = p.org_id and x.customer_id = p.id
    union all select b.attachments from public.portal_booking_requests b where b.org_id = p.org_id and b.customer_id = p.id) x
  cross join lateral jsonb_array_elements(x.attachments) f
  union
  -- Also what they uploaded and never sent.
  select 'attachments', u.name from fieldcrm.portal_uploads(($1 ->> 'org_id')::uuid, array(select p.id from person p)) as u (name)
), threads as (
  update public.portal_threads x
  set subject = 'Erased', location_id = null, status = 'closed'
  from person p where x.org_id = p.org_id and x.customer_id = p.id
), thread_messages as (
  -- Their interactions are emptied above.
  update public.portal_messages x set body = '', attachments = null, dedupe_key = null
  from person p where x.org_id = p.org_id and x.customer_id = p.id
), portal_notices as (
  delete from fieldcrm.portal_notices x using person p where x.org_id = p.org_id and x.customer_id = p.id
), warranties as (
  update public.warranties x set title = 'Erased', location_id = null, provider = null, terms = null
  from person p where x.org_id = p.org_id and x.customer_id = p.id
), ai_conversations as (
  update public.portal_ai_conversations x set status = 'ended', ended_at = coalesce(x.ended_at, now())
  from person p where x.org_id = p.org_id and x.customer_id = p.id
  returning x.org_id, x.id
), ai_messages as (
  update public.portal_ai_messages x set content = '', metadata = null
  from ai_conversations a where x.org_id = a.org_id and x.conversation_id = a.id
), leads as materialized (
  select fieldcrm.empty_leads(($1 ->> 'org_id')::uuid, array(select p.id from person p)) as emptied
)
select jsonb_build_object('erased_at', now(), 'logins', (
    select coalesce(jsonb_agg(a.user_id order by a.user_id), '[]') from accounts a
    where not exists (select from public.profiles x
      where x.id = a.user_id and x.role not in ('portal_customer', 'portal_manager'))),
  'attachments', coalesce((
    select jsonb_agg(jsonb_build_object('bucket_id', a.bucket_id, 'object_name', a.object_name) order by a.object_name)
    from (select x.bucket_id, x.object_name from attachments x union select f.bucket_id, f.object_name from files f
      union select t.bucket_id, t.object_name from portal_files t) a), '[]'))
from leads
