//! Everything that can belong to a customer, for tests of what becomes of it.

use serde_json::Value;
use uuid::Uuid;

use crate::common::{Context, NORTHWIND};
use crate::id;

/// Everything that can belong to a customer, each row referring to the others.
pub async fn furnish(context: &Context, customer: &Value) {
    let location = customer["primary_location_id"].as_str().unwrap();
    let sql = format!(
        "with visit as (
           insert into work_orders (org_id, customer_id, location_id, title, status, completed_at)
           values ('{NORTHWIND}', '{0}', '{location}', 'Visit', 'completed', now()) returning id
         ), quote as (
           insert into quotes (org_id, customer_id, work_order_id, number, total)
           select '{NORTHWIND}', '{0}', id, 'Q-' || '{0}', 100 from visit returning id
         ), invoice as (
           insert into invoices (org_id, customer_id, work_order_id, quote_id, number, status, total, amount_paid)
           select '{NORTHWIND}', '{0}', visit.id, quote.id, 'I-' || '{0}', 'sent', 100, 40 from visit, quote returning id
         ), interaction as (
           insert into crm_interactions (org_id, customer_id, location_id, related_work_order_id, related_quote_id, channel,
             sentiment, body, follow_up_date)
           select '{NORTHWIND}', '{0}', '{location}', visit.id, quote.id, 'phone_inbound', 'negative', 'Said', now()
           from visit, quote returning id
         ), followup as (
           insert into crm_followups (org_id, customer_id, title, due_at, related_interaction_id, related_work_order_id)
           select '{NORTHWIND}', '{0}', 'Call', now(), interaction.id, visit.id from interaction, visit
         ), attachment as (
           insert into attachments (org_id, customer_id, interaction_id, work_order_id, object_name, file_name)
           select '{NORTHWIND}', '{0}', interaction.id, visit.id, '{NORTHWIND}/{0}', 'a.pdf' from interaction, visit returning id
         ), document as (
           insert into documents (org_id, customer_id, type, title, attachment_id, work_order_id, quote_id, invoice_id)
           select '{NORTHWIND}', '{0}', 'report', 'Report', attachment.id, visit.id, quote.id, invoice.id
           from attachment, visit, quote, invoice
         ), lead as (
           insert into leads (org_id, client_id, project_id, customer_id, first_name)
           select org_id, client_id, id, '{0}', 'Ann' from projects where org_id = '{NORTHWIND}' limit 1
         ), segments as (
           insert into crm_segments (org_id, name, type) values ('{NORTHWIND}', 'Only {0}', 'static') returning id
         ), shared as (
           insert into crm_segments (org_id, name, type) values ('{NORTHWIND}', 'Shared', 'static')
           on conflict (org_id, name) do update set type = excluded.type returning id
         ), jobs as (
           insert into ai_jobs (org_id, kind, segment_id, segment_version, threshold)
           select '{NORTHWIND}', 'segment_score', id, 1, 50 from (select id from segments union all select id from shared) x
           on conflict (org_id, segment_id) where status in ('queued', 'running') do update set threshold = excluded.threshold
           returning id
         ), waiting as (
           insert into fieldcrm.ai_job_customers (org_id, job_id, customer_id) select '{NORTHWIND}', id, '{0}' from jobs
         )
         insert into crm_segment_members (org_id, segment_id, customer_id)
         select '{NORTHWIND}', id, '{0}' from (select id from segments union all select id from shared) x",
        id(customer)
    );
    context.client.batch_execute(&sql).await.unwrap();
    automate(context, id(customer)).await;
}

/// What automation, messages and the portal keep of a customer; each has a rule of its own and shares one.
pub async fn automate(context: &Context, customer: Uuid) {
    let login = context.newcomer(&format!("{customer}@portal.example")).await;
    let sql = format!(
        "with rule as (
           insert into crm_automation_rules (org_id, name, trigger_type, event_type, actions)
           values ('{NORTHWIND}', 'Only {customer}', 'event', 'made_up', '[{{\"type\": \"tag_customer\", \"tag\": \"VIP\"}}]') returning id
         ), rules as (
           select id from rule union all
           (select id from crm_automation_rules where name like 'Only %' and org_id = '{NORTHWIND}' order by created_at, id limit 1)
         ), run as (
           insert into crm_automation_runs (org_id, rule_id, rule_version, customer_id, occurrence_key)
           select '{NORTHWIND}', id, 1, '{customer}', 'once:{customer}' from rules returning id
         ), enrolled as (
           insert into fieldcrm.automation_enrollments (org_id, rule_id, customer_id, enrolled_at)
           select '{NORTHWIND}', id, '{customer}', clock_timestamp() from rules
         ), notice as (
           insert into crm_notifications (org_id, user_id, customer_id, type, title)
           select org_id, id, '{customer}', 'automation', 'Look' from profiles where email = 'csr@northwind.example'
         ), message as (
           insert into crm_outbox (org_id, customer_id, contact_id, automation_run_id, channel, purpose, to_address, body)
           select '{NORTHWIND}', '{customer}', c.id, (select id from run limit 1), 'email', 'transactional', 'a@b.example', 'Hello'
           from customer_contacts c where c.customer_id = '{customer}'
         )
         insert into portal_accounts (org_id, user_id, customer_id, primary_location_id)
         select org_id, '{login}', id, primary_location_id from customers where id = '{customer}';
         with visit as (
           select * from work_orders where customer_id = '{customer}' limit 1
         ), thread as (
           insert into portal_threads (org_id, customer_id, location_id, related_work_order_id, subject)
           select org_id, customer_id, location_id, id, 'Boiler' from visit returning *
         ), said as (
           insert into portal_messages (org_id, customer_id, thread_id, crm_interaction_id, sender_type, body)
           select t.org_id, t.customer_id, t.id, i.id, 'system', 'It leaks.' from thread t, crm_interactions i
           where i.customer_id = t.customer_id order by i.id limit 1
         ), told as (
           insert into fieldcrm.portal_notices (org_id, customer_id, kind, subject_id) select org_id, customer_id, 'message', id from thread
         ), warranty as (
           insert into warranties (org_id, customer_id, location_id, work_order_id, title, starts_on)
           select org_id, customer_id, location_id, id, 'Pump', current_date from visit
         ), plan as (
           insert into membership_plans (org_id, name) values ('{NORTHWIND}', 'Only {customer}') returning *
         ), member as (
           insert into customer_memberships (org_id, customer_id, membership_plan_id) select org_id, '{customer}', id from plan
         )
         insert into portal_ai_conversations (org_id, customer_id, related_work_order_id, escalated_to_thread_id)
         select org_id, customer_id, related_work_order_id, id from thread"
    );
    context.client.batch_execute(&sql).await.unwrap();
    let sql = format!(
        "insert into portal_invites (org_id, customer_id, email, token_hash, expires_at)
           values ('{NORTHWIND}', '{customer}', 'a@b.example', sha256('{customer}'), now());
         insert into portal_account_access (org_id, portal_account_id, customer_id)
           select a.org_id, a.id, '{customer}' from portal_accounts a join profiles p on p.id = a.user_id
           where p.email = 'portal_manager@northwind.example';
         with planned as (
           insert into visit_plans (org_id, customer_id, location_id, title, starts_on, start_time, rrule)
           select org_id, id, primary_location_id, 'Check', current_date, '10:00', 'FREQ=YEARLY' from customers where id = '{customer}'
         ), request as (
           insert into portal_booking_requests (org_id, portal_account_id, customer_id, location_id, service_type, problem_description)
           select a.org_id, a.id, a.customer_id, c.primary_location_id, 'repair', 'It leaks.'
           from portal_accounts a join customers c on c.id = a.customer_id and c.primary_location_id is not null
           where c.id = '{customer}' returning *
         )
         insert into portal_booking_holds (org_id, portal_account_id, customer_id, location_id, service_type_id, technician_id,
           starts_at, ends_at, booking_request_id)
         select r.org_id, r.portal_account_id, r.customer_id, r.location_id, s.id, k.technician_id, t.at, t.at + interval '1 hour', r.id
         from request r join service_types s on s.org_id = r.org_id and s.code = r.service_type
         join technician_skills k on k.org_id = s.org_id and k.service_type_id = s.id,
           -- Each customer at a time of their own.
           (select now() + make_interval(days => 900, hours => 2 * (select count(*)::integer from portal_booking_holds)) as at) t
         limit 1"
    );
    context.client.batch_execute(&sql).await.unwrap();
}
