//! The person that the tests of privacy hand over and erase.

use serde_json::json;
use uuid::Uuid;

use super::CSR;
use super::common::{Context, NORTHWIND};

/// A customer with rows in every table that can have some about a person.
pub async fn person(context: &mut Context) -> Uuid {
    let input = json!({
        "type": "individual", "first_name": "Zarathustra", "last_name": "Sils-Maria",
        "email": "zarathustra@privacy.example", "phone": "+1 (415) 555-2671", "notes": "Ecce homo",
        "external_ref": "zarathustra-1", "source": "zarathustra's friend", "status": "active",
        "contacts": [{"type": "telegram", "value": "@zarathustra", "notes": "Ecce homo"}],
        "locations": [{"address_line1": "1 Philosophers Lane", "city": "Sils-Maria", "label": "Zarathustra's"}],
        "tags": ["VIP"], "preferences": {"notes": "Ecce homo", "preferred_contact_window_start": "09:00"},
        "idempotency_key": "privacy",
    });
    let made = context.call(CSR, "crm_create_customer", input).await.unwrap();
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let patch = json!({"id": id, "patch": {"notes": "Ecce homo, again", "company_name": "Zarathustra & Co."}});
    context.call(CSR, "crm_update_customer", patch).await.unwrap();
    context
        .client
        .execute("update customers set owner = 'Zarathustra''s' where id = $1", &[&id])
        .await
        .unwrap();
    let sql = format!(
        "with interaction as (
           insert into crm_interactions (org_id, customer_id, location_id, channel, type, subject, summary, body, metadata, follow_up_date)
           select org_id, id, primary_location_id, 'note', 'Zarathustra', 'Zarathustra', 'Ecce homo', 'Ecce homo', '{{\"x\": \"zarathustra\"}}', now()
           from customers where id = '{id}' returning *
         ), visit as (
           insert into work_orders (org_id, customer_id, location_id, title, description, customer_notes, internal_notes, cancel_reason)
           select org_id, id, primary_location_id, 'Zarathustra', 'Zarathustra', 'Zarathustra', 'Zarathustra', 'Zarathustra'
           from customers where id = '{id}' returning *
         ), quote as (
           insert into quotes (org_id, customer_id, number, total, notes) values ('{NORTHWIND}', '{id}', 'Q-P', 12, 'Zarathustra') returning *
         ), invoice as (
           insert into invoices (org_id, customer_id, number, total, amount_paid, notes)
           values ('{NORTHWIND}', '{id}', 'I-P', 12, 10, 'Zarathustra') returning *
         ), file as (
           insert into attachments (org_id, customer_id, object_name, file_name)
           values ('{NORTHWIND}', '{id}', '{NORTHWIND}/{id}/zarathustra.pdf', 'zarathustra.pdf') returning *
         ), document as (
           insert into documents (org_id, customer_id, type, title, attachment_id)
           select org_id, customer_id, 'contract', 'Zarathustra', id from file
         ), segment as (
           insert into crm_segments (org_id, name, type) values ('{NORTHWIND}', 'Thinkers', 'static') returning *
         ), member as (
           insert into crm_segment_members (org_id, segment_id, customer_id, metadata)
           select org_id, id, '{id}', '{{\"why\": \"zarathustra\"}}' from segment
         ), scoring as (
           insert into ai_jobs (org_id, kind, segment_id, segment_version, threshold)
           select org_id, 'segment_score', id, 1, 50 from segment returning *
         ), scored as (
           insert into fieldcrm.ai_job_customers (org_id, job_id, customer_id, score, reason)
           select org_id, id, '{id}', 80, 'Met: name is zarathustra.' from scoring
         ), followup as (
           insert into crm_followups (org_id, customer_id, title, description, due_at, dedupe_key)
           values ('{NORTHWIND}', '{id}', 'Call Zarathustra', 'Ecce homo', now(), 'zarathustra'),
             ('{NORTHWIND}', '{id}', 'Zarathustra was called', null, now(), null)
         ), lead as (
           insert into leads (org_id, client_id, project_id, customer_id, first_name, last_name, email, phone, phone_raw, notes, tags, custom_fields)
           select org_id, client_id, id, '{id}', 'Zarathustra', 'Sils-Maria', 'zarathustra@privacy.example', '+14155552671',
             '415-555-2671', 'Ecce homo', '[\"zarathustra\"]', '{{\"x\": \"zarathustra\"}}'
           from projects where org_id = '{NORTHWIND}' limit 1 returning *
         ), message as (
           insert into messages (org_id, client_id, lead_id, sender_type, content, message_type, direction, metadata, provider, provider_message_id)
           select org_id, client_id, id, 'lead', 'Ecce homo', 'sms', 'inbound', '{{\"from\": \"+14155552671\"}}', 'meta', 'wamid.4155552671'
           from lead returning *
         ), event as (
           insert into webhook_events (org_id, provider, provider_event_id, event_type, outcome, payload, lead_id)
           select org_id, 'meta', 'wamid.4155552671', 'message', 'message', '{{\"from\": \"zarathustra\"}}', id from lead
         )
         select 1"
    );
    context.client.batch_execute(&sql).await.unwrap();
    let sql = "update crm_followups set status = 'completed', completion_notes = 'Ecce homo'
               where customer_id = $1 and title = 'Zarathustra was called'";
    context.client.execute(sql, &[&id]).await.unwrap();
    automate(context, id).await;
    id
}

/// What automation, messages and the portal keep of a person.
async fn automate(context: &Context, id: Uuid) {
    let login = context.newcomer("zarathustra@portal.example").await;
    let sql = format!(
        "with rule as (
           insert into crm_automation_rules (org_id, name, trigger_type, event_type, actions)
           values ('{NORTHWIND}', 'Greet', 'event', 'philosophised', '[{{\"type\": \"tag_customer\", \"tag\": \"VIP\"}}]') returning *
         ), event as (
           insert into crm_events (org_id, event_type, customer_id, payload, event_key)
           values ('{NORTHWIND}', 'philosophised', '{id}', '{{\"said\": \"Ecce homo\"}}', 'said:zarathustra') returning *
         ), queued as (insert into fieldcrm.event_queue (org_id, event_id, event_type) select org_id, id, event_type from event
         ), enrolled as (insert into fieldcrm.automation_enrollments (org_id, rule_id, customer_id, enrolled_at) select org_id, id, '{id}', now() from rule
         ), run as (
           insert into crm_automation_runs (org_id, rule_id, rule_version, customer_id, event_id, occurrence_key, trigger_context,
             status, matched, results, skip_code, skip_reason, error_code, error_message, completed_at)
           select rule.org_id, rule.id, 1, '{id}', event.id, r.status || ':zarathustra', '{{\"x\": \"zarathustra\"}}', r.status::automation_run_status,
             '[{{\"actual\": \"zarathustra\"}}]', '[{{\"x\": \"zarathustra\"}}]', r.skip, 'zarathustra', r.error, 'zarathustra', r.at
           from rule, event, (values ('pending', null, null, null), ('success', null, null, now()), ('skipped', 'late', null, now()),
             ('failed', null, 'x', now())) as r (status, skip, error, at)
           returning *
         ), message as (
           insert into crm_outbox (org_id, customer_id, user_id, channel, purpose, to_address, subject, body, payload, status, lease_id, leased_until,
             provider_message_id, error_message, decision_reason, dedupe_key, completed_at)
           select '{NORTHWIND}', '{id}', case m.status when 'canceled' then (select id from profiles where email = 'csr@northwind.example') end,
             'email', 'transactional', 'zarathustra@privacy.example', 'Zarathustra', 'Ecce homo',
             '{{\"x\": \"zarathustra\"}}', m.status, m.lease, m.until, 'wamid.zarathustra', 'zarathustra', 'zarathustra', 'zarathustra:' || m.status,
             case when m.lease is null and m.status <> 'queued' then timestamptz '2026-01-01 00:00Z' end
           from (values ('queued', null, null), ('sending', gen_random_uuid(), now()), ('sent', null, null), ('delivered', null, null),
             ('failed', null, null), ('refused', null, null), ('canceled', null, null)) as m (status, lease, until)
         ), notice as (
           insert into crm_notifications (org_id, user_id, customer_id, type, title, body, data, dedupe_key)
           select org_id, id, '{id}', 'automation', 'Zarathustra', 'Ecce homo', '{{\"x\": \"zarathustra\"}}', 'zarathustra'
           from profiles where email = 'csr@northwind.example'
         ), profile as (
           insert into profiles (id, org_id, role, email, full_name, phone)
           values ('{login}', '{NORTHWIND}', 'portal_customer', 'zarathustra@portal.example', 'Zarathustra', '(415) 555-2671')
         ), account as (
           insert into portal_accounts (org_id, user_id, customer_id, primary_location_id, last_login_at)
           select org_id, '{login}', id, primary_location_id, now() from customers where id = '{id}' returning *
         )
         insert into portal_notification_preferences (org_id, portal_account_id, timezone) select org_id, id, 'Europe/Zurich' from account"
    );
    context.client.batch_execute(&sql).await.unwrap();
    let waiting = context.newcomer("zarathustra@privacy.example").await;
    let sql = format!(
        "insert into portal_invites (org_id, customer_id, email, token_hash, expires_at)
           values ('{NORTHWIND}', '{id}', 'zarathustra@invited.example', '\\x00', now());
         insert into portal_account_access (org_id, portal_account_id, customer_id)
           select a.org_id, a.id, case a.customer_id when '{id}' then w.customer_id else '{id}' end
           from portal_accounts a join profiles p on p.id = a.user_id and p.email in ('zarathustra@portal.example', 'portal_manager@northwind.example'),
             (select x.customer_id from portal_accounts x join profiles y on y.id = x.user_id and y.email = 'portal_customer@northwind.example') w;
         insert into portal_audit_events (org_id, portal_account_id, event_type, event_payload, ip_address, user_agent)
           select org_id, id, 'login', '{{\"x\": \"zarathustra\"}}', '203.0.113.9', 'zarathustra' from portal_accounts where customer_id = '{id}';
         insert into fieldcrm.portal_signups (user_id, org_id, full_name) values ('{waiting}', '{NORTHWIND}', 'Zarathustra')"
    );
    context.client.batch_execute(&sql).await.unwrap();
    correspond(context, id).await;
}

/// What was written in the portal, what is still to be told, and what the customer has beyond visits.
async fn correspond(context: &Context, id: Uuid) {
    let sql = format!(
        "with account as (
           select * from portal_accounts where customer_id = '{id}'
         ), thread as (
           insert into portal_threads (org_id, customer_id, subject, created_by_portal_account_id)
           select org_id, customer_id, 'Zarathustra', id from account returning *
         ), sent as (
           insert into portal_messages (org_id, customer_id, thread_id, sender_type, sender_portal_account_id, body, attachments, dedupe_key)
           select t.org_id, t.customer_id, t.id, 'portal_customer', a.id, 'Ecce homo',
             jsonb_build_array(jsonb_build_object('object_name', t.org_id || '/portal/' || a.id || '/zarathustra.jpg', 'file_name', 'zarathustra.jpg')),
             'zarathustra'
           from thread t, account a
         ), told as (
           insert into fieldcrm.portal_notices (org_id, customer_id, kind, subject_id, payload)
           select org_id, customer_id, 'message', id, '{{\"change\": \"zarathustra\"}}' from thread
         ), warranty as (
           insert into warranties (org_id, customer_id, title, provider, terms, starts_on)
           values ('{NORTHWIND}', '{id}', 'Zarathustra', 'Zarathustra', 'Zarathustra', current_date)
         ), plan as (
           insert into membership_plans (org_id, name) values ('{NORTHWIND}', 'Mountain air') returning *
         ), member as (
           insert into customer_memberships (org_id, customer_id, membership_plan_id) select org_id, '{id}', id from plan
         ), asked as (
           insert into portal_ai_conversations (org_id, portal_account_id, customer_id) select org_id, id, customer_id from account returning *
         )
         insert into portal_ai_messages (org_id, conversation_id, role, content, metadata)
         select org_id, id, 'user', 'Ecce homo', '{{\"x\": \"zarathustra\"}}' from asked"
    );
    context.client.batch_execute(&sql).await.unwrap();
    book(context, id).await;
}

/// What was asked for in the portal, what is kept for that, and visits that come again.
async fn book(context: &Context, id: Uuid) {
    let sql = format!(
        "with plan as (
           insert into visit_plans (org_id, customer_id, location_id, title, starts_on, start_time, rrule)
           select org_id, id, primary_location_id, 'Zarathustra', current_date, '10:00', 'FREQ=YEARLY' from customers where id = '{id}'
         ), request as (
           insert into portal_booking_requests (org_id, portal_account_id, customer_id, location_id, service_type, problem_description,
             attachments, review_note, cancel_reason)
           select a.org_id, a.id, a.customer_id, c.primary_location_id, 'repair', 'Zarathustra',
             jsonb_build_array(jsonb_build_object('object_name', a.org_id || '/portal/' || a.id || '/zarathustra.png', 'file_name', 'zarathustra.png')),
             'Zarathustra', 'Zarathustra'
           from portal_accounts a join customers c on c.id = a.customer_id where c.id = '{id}' returning *
         )
         insert into portal_booking_holds (org_id, portal_account_id, customer_id, location_id, service_type_id, technician_id, starts_at,
           ends_at, booking_request_id)
         select r.org_id, r.portal_account_id, r.customer_id, r.location_id, s.id, k.technician_id, now() + interval '900 days',
           now() + interval '901 days', r.id
         from request r join service_types s on s.org_id = r.org_id and s.code = r.service_type
         join technician_skills k on k.org_id = s.org_id and k.service_type_id = s.id limit 1"
    );
    context.client.batch_execute(&sql).await.unwrap();
}
