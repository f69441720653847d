-- Who may do what to which table, on rows of their own org: the one list. The wall holds the database to it,
-- and `cargo xtask gen` writes the matrix of docs/security.md from it. Nobody may do anything to another org's rows.

create temporary table wall_groups (name text primary key, roles text[] not null);
insert into wall_groups values
  ('-', '{}'),
  ('admins', '{owner,admin}'),
  ('managers', '{owner,admin,manager}'),
  ('writers', '{owner,admin,manager,csr,sales}'),
  ('planners', '{owner,admin,manager,csr,dispatcher}'),
  ('loggers', '{owner,admin,manager,csr,sales,dispatcher}'),
  ('staff', '{owner,admin,manager,csr,sales,dispatcher,member,viewer}'),
  ('employees', '{owner,admin,manager,csr,sales,dispatcher,member,viewer,technician}'),
  ('csr', '{csr}'),
  ('everyone', '{owner,admin,manager,csr,sales,dispatcher,member,viewer,technician,client_admin,portal_customer,portal_manager}');

-- service: what the service role may do, to rows of any org (s elect, i nsert, u pdate, d elete).
-- fresh: what a copy of a row must change to be a row of its own. {org}, {bare} (a customer nothing belongs to)
-- and {newcomer} (a login without a profile) stand for ids of the row's org.
create temporary table wall_tables (
  tab text primary key, may_select text not null references wall_groups, may_insert text not null references wall_groups,
  may_update text not null references wall_groups, may_delete text not null references wall_groups,
  service text not null, fresh jsonb not null default '{}', note text not null default '');
insert into wall_tables values
  ('public.orgs', 'everyone', '-', 'managers', '-', 'siud', '{"name": "Fresh"}', ''),
  ('public.profiles', 'staff', '-', '-', '-', 'siud', '{"id": "{newcomer}"}', 'Everyone: their own row; but for owners of portal accounts its name, phone and picture'),
  ('public.org_invites', 'admins', '-', '-', 'admins', 'siud', '{"token_hash": "\\x00"}', 'Never the hash of the token; no more once it is accepted'),
  ('public.products', 'employees', 'managers', 'managers', 'managers', 'siud', '{"name": "Fresh", "is_active": false}', ''),
  ('public.customers', 'staff', 'writers', 'writers', 'admins', 'siud', '{"external_ref": null, "primary_location_id": null, "primary_contact_id": null}', 'Members: insert and update the ones they own'),
  ('public.customer_locations', 'staff', 'writers', 'writers', 'writers', 'siud', '{"is_primary": false}', 'Members: those of the customers they own'),
  ('public.customer_contacts', 'staff', 'writers', 'writers', 'writers', 'siud', '{"type": "portal", "value": "fresh", "is_primary": false}', 'Members: those of the customers they own'),
  ('public.crm_preferences', 'staff', 'writers', 'writers', 'writers', 'siud', '{"customer_id": "{bare}"}', 'Members: those of the customers they own'),
  ('public.crm_tags', 'staff', 'writers', 'writers', 'writers', 'siud', '{"name": "Fresh"}', ''),
  ('public.crm_customer_tags', 'staff', 'writers', 'writers', 'writers', 'siud', '{"customer_id": "{bare}"}', 'Members: those of the customers they own'),
  ('public.work_orders', 'staff', 'planners', 'planners', 'admins', 'siud', '{"technician_id": null}', 'Technicians: theirs, through their RPCs'),
  ('public.work_order_events', 'staff', '-', '-', '-', 's', '{}', 'Written by triggers'),
  ('public.quotes', 'staff', 'writers', 'writers', 'admins', 'siud', '{"number": "Fresh"}', ''),
  ('public.invoices', 'staff', 'writers', 'writers', 'admins', 'siud', '{"number": "Fresh"}', ''),
  ('public.crm_interactions', 'staff', 'loggers', '-', '-', 'siud', '{"follow_up_date": null}', 'Members: log on the customers they own. The service role updates only the sentiment'),
  ('public.customer_interactions', 'staff', 'loggers', '-', '-', 'si', '{"follow_up_date": null}', 'crm_interactions under its older name'),
  ('public.crm_followups', 'staff', 'loggers', 'loggers', 'admins', 'siud', '{"dedupe_key": null, "origin": "manual"}', 'Members: insert on the customers they own, update what they made or are assigned'),
  ('public.crm_message_templates', 'staff', 'managers', 'managers', 'managers', 'siud', '{"name": "Fresh", "is_system": false}', 'Locked ones: nobody changes or deletes'),
  ('public.attachments', 'staff', 'writers', 'writers', 'writers', 'siud', '{"customer_id": "{bare}", "interaction_id": null, "work_order_id": null, "object_name": "{org}/{bare}/fresh"}', 'Members: those of the customers they own'),
  ('public.documents', 'staff', 'writers', 'writers', 'writers', 'siud', '{}', 'Members: those of the customers they own'),
  ('public.crm_segments', 'staff', '-', 'writers', 'writers', 'siud', '{"name": "Fresh"}', 'Made by crm_create_segment; update: the description, and whether it is active'),
  ('public.crm_segment_versions', 'staff', '-', '-', '-', 'siud', '{"version": 9}', 'Written by triggers'),
  ('public.crm_events', 'staff', '-', '-', '-', 'siud', '{"event_key": "fresh"}', 'Written by triggers'),
  ('public.crm_segment_members', 'staff', 'writers', 'writers', 'writers', 'siud', '{"customer_id": "{bare}"}', ''),
  ('public.audit_log', 'admins', '-', '-', '-', 's', '{}', 'Written by triggers'),
  ('public.crm_access_log', 'admins', 'staff', '-', '-', 'si', '{"operation": "crm_get_customer"}', 'In their own name only'),
  ('public.customer_metrics', 'staff', '-', '-', '-', 's', '{}', 'Written by triggers'),
  ('public.customer_metrics_recomputed', '-', '-', '-', '-', 's', '{}', 'To repair and to check'),
  ('public.crm_automation_rules', 'staff', '-', '-', 'managers', 's', '{"name": "Fresh"}', 'Written by the RPCs'),
  ('public.crm_automation_runs', 'staff', '-', '-', '-', 's', '{"occurrence_key": "fresh"}', 'Written by the runner'),
  ('public.crm_notifications', 'csr', '-', 'csr', 'csr', 's', '{"dedupe_key": null}', 'Everybody: their own, here the csr''s; update: that it was read'),
  ('public.crm_messaging_settings', 'staff', 'managers', 'managers', '-', 'siud', '{}', ''),
  ('public.crm_opt_outs', 'staff', 'loggers', '-', 'managers', 'sid', '{"channel": "email", "address": "fresh@example.com"}', ''),
  ('public.crm_outbox', 'staff', '-', '-', '-', 's', '{"dedupe_key": null}', 'Written by the RPCs, so that nothing gets in unasked'),
  ('public.portal_accounts', 'staff', '-', '-', '-', 'siud', '{"user_id": "{newcomer}"}', ''),
  ('public.portal_notification_preferences', 'staff', '-', '-', '-', 'siud', '{"portal_account_id": "{bare}"}', ''),
  ('public.portal_settings', 'staff', 'managers', 'managers', '-', 'siud', '{"slug": null, "is_signup_enabled": false}', ''),
  ('public.portal_invites', 'staff', '-', '-', '-', 's', '{"token_hash": "\\x00"}', 'Never the hash of the token. Written by the RPCs'),
  ('public.portal_account_access', 'staff', '-', '-', '-', 'siud', '{"customer_id": "{bare}", "location_id": null}', 'Written by the RPCs'),
  ('public.portal_audit_events', 'staff', '-', '-', '-', 's', '{}', 'Written by the RPCs'),
  ('fieldcrm.portal_signups', '-', '-', '-', '-', '', '{"user_id": "{newcomer}"}', 'Read by portal_complete_signup'),
  ('public.portal_threads', 'staff', '-', '-', '-', 's', '{}', 'Owners of portal accounts: those they see. Written by the RPCs'),
  ('public.portal_messages', 'staff', '-', '-', '-', 's', '{"dedupe_key": null}', 'Owners of portal accounts: those of the threads they see, without how they are meant and what joins them to our records. Written by the RPCs'),
  ('public.portal_appointments', 'staff', '-', '-', '-', 's', '{}', 'Owners of portal accounts: those they see. Written by triggers'),
  ('fieldcrm.portal_notices', '-', '-', '-', '-', '', '{}', 'Not exposed; written by triggers, worked off by crm_send_portal_notices'),
  ('public.service_types', 'staff', 'managers', 'managers', 'managers', 'siud', '{"code": "fresh"}', ''),
  ('public.technician_hours', 'staff', 'planners', 'planners', 'planners', 'siud', '{"start_time": "22:00", "end_time": "23:00"}', ''),
  ('public.technician_time_off', 'staff', 'planners', 'planners', 'planners', 'siud', '{}', ''),
  ('public.blackout_days', 'staff', 'planners', 'planners', 'planners', 'siud', '{"day": "2000-01-01"}', ''),
  ('public.technician_skills', 'staff', 'planners', 'planners', 'planners', 'siud', '{"service_type_id": "{bare}"}', ''),
  ('public.technician_areas', 'staff', 'planners', 'planners', 'planners', 'siud', '{}', ''),
  ('public.visit_plans', 'staff', 'planners', 'planners', 'planners', 'siud', '{}', ''),
  ('public.portal_booking_requests', 'staff', '-', '-', '-', 's', '{}', 'Owners of portal accounts: those they see. Written by the RPCs'),
  ('public.portal_booking_holds', 'staff', '-', '-', '-', 's', '{}', 'Written by the RPCs'),
  ('fieldcrm.reservations', '-', '-', '-', '-', '', '{}', 'Not exposed; written by triggers'),
  ('public.warranties', 'staff', 'writers', 'writers', 'writers', 'siud', '{}', 'Owners of portal accounts: through their RPCs'),
  ('public.membership_plans', 'staff', 'managers', 'managers', 'managers', 'siud', '{"name": "Fresh"}', ''),
  ('public.customer_memberships', 'staff', 'writers', 'writers', 'writers', 'siud', '{}', 'Owners of portal accounts: through their RPCs'),
  ('public.portal_ai_conversations', 'staff', '-', '-', '-', 's', '{}', 'Written by the RPCs'),
  ('public.portal_ai_messages', 'staff', '-', '-', '-', 's', '{}', 'Written by the RPCs'),
  ('fieldcrm.event_queue', '-', '-', '-', '-', '', '{}', 'Not exposed; worked off by the runner'),
  ('fieldcrm.outbox_queue', '-', '-', '-', '-', '', '{}', 'Written by triggers and claims'),
  ('fieldcrm.sentiment_queue', '-', '-', '-', '-', '', '{}', 'Not exposed; written by triggers and crm_claim_sentiments'),
  ('fieldcrm.automation_enrollments', '-', '-', '-', '-', '', '{"customer_id": "{bare}"}', 'Not exposed; written by the runner'),
  ('fieldcrm.customer_search', '-', '-', '-', '-', '', '{}', 'Read by crm_search_customers'),
  ('fieldcrm.idempotency_keys', '-', '-', '-', '-', 'siud', '{"key": "fresh"}', 'Not exposed; callers reach their own keys through the RPCs');

insert into wall_groups values ('editors', '{owner,admin,manager,csr}');
insert into wall_tables values
  ('public.kb_articles', 'staff', 'editors', 'editors', 'editors', 'siud', '{"slug": "fresh"}', 'Staff also see what is published for all orgs; customers and strangers read by the RPCs'),
  ('public.kb_article_chunks', 'staff', '-', '-', '-', 's', '{}', 'Written by the job');

-- Who the demo client's members are in the org: client_admin is its admin, csr and sales are members, viewer is a viewer.
insert into wall_groups values
  ('client_readers', '{owner,admin,manager,client_admin,csr,sales,viewer}'),
  ('client_writers', '{owner,admin,manager,client_admin,csr,sales}'),
  ('client_admins', '{owner,admin,manager,client_admin}');
insert into wall_tables values
  ('public.clients', 'client_readers', 'writers', 'client_admins', 'client_admins', 'siud', '{"name": "Fresh"}', 'By their role in the client; who may make clients makes one, and is its admin'),
  ('public.client_members', 'client_readers', 'client_admins', 'client_admins', 'client_admins', 'siud', '{"user_id": "{inactive}"}', 'By their role in the client'),
  ('public.projects', 'client_readers', 'client_writers', 'client_writers', 'client_admins', 'siud', '{"name": "Fresh"}', 'By their role in the client'),
  ('public.project_members', 'client_readers', 'client_admins', 'client_admins', 'client_admins', 'siud', '{"project_id": "{project}"}', 'By their role in the client'),
  ('public.leads', 'client_readers', 'client_writers', 'client_writers', 'client_admins', 'siud', '{}', 'By their role in the client'),
  ('public.conversations', 'client_readers', '-', 'client_writers', '-', 'siud', '{"status": "closed"}', 'By their role in the client; members open and close them'),
  ('public.messages', 'client_readers', 'client_writers', '-', '-', 'siud', '{"sender_type": "user", "message_type": "internal", "direction": "outbound", "status": "sent", "provider_message_id": null}', 'By their role in the client; members note calls and thoughts in their own name'),
  ('public.crm_activities', 'client_readers', '-', '-', '-', 'si', '{}', 'By their role in the client. Written by triggers'),
  ('public.activities', 'client_readers', '-', '-', '-', 's', '{}', 'crm_activities under its older name'),
  ('public.metrics', 'client_readers', '-', '-', '-', 'siud', '{"date": "2000-01-01"}', 'By their role in the client. Written by triggers'),
  ('public.reports', 'client_readers', 'client_writers', '-', 'client_admins', 'siud', '{}', 'By their role in the client; members keep them in their own name'),
  ('public.org_channels', 'managers', '-', '-', 'managers', 'siud', '{"channel": "form", "address": "form_fresh_0000000000"}', 'Made and changed by RPCs'),
  ('public.webhook_events', 'managers', '-', '-', '-', 's', '{}', 'Written by crm_receive_webhook and crm_submit_form'),
  ('public.webhook_endpoints', 'managers', '-', '-', 'managers', 'siud', '{"url": "https://fresh.example"}', 'Made and changed by RPCs'),
  ('public.webhook_attempts', 'managers', '-', '-', '-', 's', '{}', 'Written with what the dispatcher says of a webhook'),
  ('fieldcrm.form_submissions', '-', '-', '-', '-', '', '{}', 'Written by crm_submit_form');
