-- In: {org_id, id, duplicate_id, set, contacts: [{id, dropped, …}], preferences or null}, as core decided. Out: {}.
-- One statement: the rows refer to each other by customer and id, and are checked only at its end.
with merge as materialized (
  select ($1 ->> 'org_id')::uuid as org_id, ($1 ->> 'id')::uuid as id, ($1 ->> 'duplicate_id')::uuid as duplicate_id
), pairs as materialized (
  select g.* from jsonb_to_recordset($1 -> 'contacts') as g (id uuid, dropped uuid, value_raw text, is_verified boolean,
    opt_in_marketing boolean, opt_in_transactional boolean, preferred_channel boolean, notes text)
), contacts_merged as (
  update public.customer_contacts x
  set (value_raw, is_verified, opt_in_marketing, opt_in_transactional, preferred_channel, notes) =
    (g.value_raw, g.is_verified, g.opt_in_marketing, g.opt_in_transactional, g.preferred_channel, g.notes)
  from merge m, pairs g where x.org_id = m.org_id and x.customer_id = m.id and x.id = g.id
), contacts_dropped as (
  delete from public.customer_contacts x using merge m, pairs g
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id and x.id = g.dropped
), contacts_moved as (
  -- Which child is the primary one is decided after, by customer/set_primary.sql.
  update public.customer_contacts x set customer_id = m.id, is_primary = false from merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id and x.id not in (select g.dropped from pairs g)
), locations_moved as (
  update public.customer_locations x set customer_id = m.id, is_primary = false from merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), tags_dropped as (
  delete from public.crm_customer_tags x using merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id and exists (
    select from public.crm_customer_tags k where k.org_id = m.org_id and k.customer_id = m.id and k.tag_id = x.tag_id)
), tags_moved as (
  update public.crm_customer_tags x set customer_id = m.id from merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id and not exists (
    select from public.crm_customer_tags k where k.org_id = m.org_id and k.customer_id = m.id and k.tag_id = x.tag_id)
), members_dropped as (
  delete from public.crm_segment_members x using merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id and exists (
    select from public.crm_segment_members k where k.org_id = m.org_id and k.customer_id = m.id and k.segment_id = x.segment_id)
), members_moved as (
  update public.crm_segment_members x set customer_id = m.id from merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id and not exists (
    select from public.crm_segment_members k where k.org_id = m.org_id and k.customer_id = m.id and k.segment_id = x.segment_id)
), preferences_dropped as (
  delete from public.crm_preferences x using merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), preferences_merged as (
  insert into public.crm_preferences (org_id, customer_id, do_not_contact, do_not_email, do_not_sms, do_not_call,
    preferred_contact_window_start, preferred_contact_window_end, notes)
  select m.org_id, m.id, g.do_not_contact, g.do_not_email, g.do_not_sms, g.do_not_call,
    g.preferred_contact_window_start, g.preferred_contact_window_end, g.notes
  from merge m, jsonb_populate_record(null::public.crm_preferences, $1 -> 'preferences') g
  where jsonb_typeof($1 -> 'preferences') = 'object'
  on conflict (org_id, customer_id) do update set (do_not_contact, do_not_email, do_not_sms, do_not_call,
    preferred_contact_window_start, preferred_contact_window_end, notes) = (excluded.do_not_contact, excluded.do_not_email,
    excluded.do_not_sms, excluded.do_not_call, excluded.preferred_contact_window_start,
    excluded.preferred_contact_window_end, excluded.notes)
), work_orders_moved as (
  update public.work_orders x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), plans_moved as (
  update public.visit_plans x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), bookings_moved as (
  update public.portal_booking_requests x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), holds_moved as (
  update public.portal_booking_holds x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), quotes_moved as (
  update public.quotes x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), invoices_moved as (
  update public.invoices x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), interactions_moved as (
  update public.crm_interactions x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), followups_moved as (
  update public.crm_followups x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), attachments_moved as (
  update public.attachments x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), documents_moved as (
  update public.documents x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), messages_moved as (
  -- What was to go to a contact that both had goes to the one that is left.
  update public.crm_outbox x
  set customer_id = m.id, contact_id = coalesce((select g.id from pairs g where g.dropped = x.contact_id), x.contact_id)
  from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), events_moved as (
  -- What happened and was not worked off yet happened to the customer that is left.
  update public.crm_events x set customer_id = m.id from merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id
    and x.id in (select q.event_id from fieldcrm.event_queue q where q.org_id = m.org_id)
), runs_moved as (
  -- What a rule did as its one run of the duplicate is its one run of the customer.
  update public.crm_automation_runs x
  set customer_id = m.id, occurrence_key = case when x.occurrence_key <> 'once:' || m.duplicate_id or exists (
      select from public.crm_automation_runs k
      where k.org_id = x.org_id and k.rule_id = x.rule_id and k.occurrence_key = 'once:' || m.id)
    then x.occurrence_key else 'once:' || m.id end
  from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), enrollments_merged as (
  update fieldcrm.automation_enrollments k set enrolled_at = greatest(k.enrolled_at, x.enrolled_at)
  from merge m, fieldcrm.automation_enrollments x
  where k.org_id = m.org_id and k.customer_id = m.id and x.org_id = m.org_id and x.customer_id = m.duplicate_id and x.rule_id = k.rule_id
), enrollments_dropped as (
  delete from fieldcrm.automation_enrollments x using merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id and exists (
    select from fieldcrm.automation_enrollments k where k.org_id = m.org_id and k.customer_id = m.id and k.rule_id = x.rule_id)
), enrollments_moved as (
  update fieldcrm.automation_enrollments x set customer_id = m.id from merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id and not exists (
    select from fieldcrm.automation_enrollments k where k.org_id = m.org_id and k.customer_id = m.id and k.rule_id = x.rule_id)
), scores_dropped as (
  delete from fieldcrm.ai_job_customers x using merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id and exists (
    select from fieldcrm.ai_job_customers k where k.org_id = m.org_id and k.customer_id = m.id and k.job_id = x.job_id)
), scores_moved as (
  update fieldcrm.ai_job_customers x set customer_id = m.id from merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id and not exists (
    select from fieldcrm.ai_job_customers k where k.org_id = m.org_id and k.customer_id = m.id and k.job_id = x.job_id)
), notices_moved as (
  update public.crm_notifications x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), accounts_moved as (
  update public.portal_accounts x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), invites_moved as (
  update public.portal_invites x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), access_dropped as (
  delete from public.portal_account_access x using merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id and x.location_id is null and exists (
    select from public.portal_account_access k
    where k.org_id = m.org_id and k.portal_account_id = x.portal_account_id and k.customer_id = m.id and k.location_id is null)
), access_moved as (
  -- Who saw all of the one sees all of both: they are one.
  update public.portal_account_access x set customer_id = m.id from merge m
  where x.org_id = m.org_id and x.customer_id = m.duplicate_id and (x.location_id is not null or not exists (
    select from public.portal_account_access k
    where k.org_id = m.org_id and k.portal_account_id = x.portal_account_id and k.customer_id = m.id and k.location_id is null))
), threads_moved as (
  update public.portal_threads x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), thread_messages_moved as (
  update public.portal_messages x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), portal_notices_moved as (
  update fieldcrm.portal_notices x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), warranties_moved as (
  update public.warranties x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), memberships_moved as (
  update public.customer_memberships x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), ai_conversations_moved as (
  update public.portal_ai_conversations x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), leads_moved as (
  update public.leads x set customer_id = m.id from merge m where x.org_id = m.org_id and x.customer_id = m.duplicate_id
), earlier_duplicates as (
  update public.customers c set merged_into_id = m.id from merge m
  where c.org_id = m.org_id and c.merged_into_id = m.duplicate_id and c.id <> m.id
), duplicate as (
  update public.customers c
  set is_archived = true, merged_into_id = m.id, primary_contact_id = null, primary_location_id = null
  from merge m where c.org_id = m.org_id and c.id = m.duplicate_id
), survivor as (
  update public.customers c
  set (first_name, last_name, company_name, email, phone, phone_raw, source, preferred_language, notes, owner_id, owner,
      product_id) = (
    select n.first_name, n.last_name, n.company_name, n.email, n.phone, n.phone_raw, n.source, n.preferred_language, n.notes,
      n.owner_id, n.owner, n.product_id
    from jsonb_populate_record(c, $1 -> 'set') n)
  from merge m where c.org_id = m.org_id and c.id = m.id
)
select '{}'::jsonb
