//! The RPCs of fieldcrm.
//!
//! An RPC is an `async fn` over [`Db`]: Rust parses, validates, normalises and decides; a static
//! SQL statement (`sql/<feature>/<statement>.sql`, best one CTE chain) does the set-based work.
//! Nothing here may assume that it runs inside the server.

pub mod ai_usage;
pub mod appointment;
mod attachment;
pub mod automation;
pub mod booking;
pub mod channel;
pub mod client;
pub mod consent;
pub mod conversation;
pub mod customer;
pub mod customer_lifecycle;
mod database;
pub mod delivery;
pub mod draft;
pub mod event;
pub mod followup;
pub mod form;
pub mod health;
mod idempotency;
pub mod import;
pub mod insight;
pub mod interaction;
pub mod kb;
pub mod lead;
pub mod lead_score;
pub mod member;
pub mod org;
pub mod outbox;
mod page;
pub mod portal;
pub mod portal_account;
pub mod portal_assistant;
pub mod portal_notice;
pub mod portal_thread;
pub mod privacy;
pub mod project;
pub mod prune;
pub mod search;
pub mod segment;
pub mod sentiment;
pub mod session;
pub mod suggestion;
pub mod template;
pub mod timeline;
#[cfg(feature = "tokio")]
pub mod tokio;
pub mod webhook;
pub mod work_order;

pub use database::{Db, RunsAs, Work, call_as};
pub use fieldcrm_core::{Error, Result};

use serde_json::Value;

macro_rules! rpcs {
    ($($name:literal => $function:path, $runs_as:ident;)*) => {
        /// Every RPC by its public name, with whom its statements run as.
        pub const RPCS: &[(&str, RunsAs)] = &[$(($name, RunsAs::$runs_as),)*];

        /// Runs the RPC of that name on named arguments; for drivers that have no SQL face.
        pub async fn dispatch<D: Db>(db: &mut D, name: &str, arguments: Value) -> Result<Value> {
            match name {
                $($name => $function(db, arguments).await,)*
                _ => Err(Error::not_found("RPC")),
            }
        }
    };
}

rpcs! {
    "crm_session" => session::describe, Owner;
    "crm_create_org" => org::create, Owner;
    "crm_invite_member" => member::invite, Owner;
    "crm_accept_invite" => member::accept_invite, Owner;
    "crm_set_member_role" => member::set_role, Owner;
    "crm_deactivate_member" => member::deactivate, Owner;
    "crm_create_customer" => customer::create, Caller;
    "crm_get_customer" => customer::get, Caller;
    "crm_update_customer" => customer::update, Caller;
    "crm_set_work_order_status" => work_order::set_status, Owner;
    "crm_my_visits" => work_order::my_visits, Owner;
    "crm_get_visit" => work_order::get_visit, Owner;
    "crm_render_template" => template::render, Caller;
    "crm_validate_template" => template::validate, Caller;
    "crm_log_interaction" => interaction::log, Caller;
    "crm_create_followup" => followup::create, Caller;
    "crm_ensure_followup" => followup::ensure, Caller;
    "crm_update_followup" => followup::update, Caller;
    "crm_remind_followups" => followup::remind, Owner;
    "crm_expire_followups" => followup::expire, Caller;
    "crm_suggest_followups" => suggestion::suggest, Caller;
    "crm_next_actions" => suggestion::next_actions, Caller;
    "crm_interaction_texts" => insight::texts, Caller;
    "crm_message_context" => draft::context, Caller;
    "crm_customer_timeline" => timeline::page, Caller;
    "crm_search_customers" => search::search, Owner;
    "crm_archive_customer" => customer_lifecycle::archive, Caller;
    "crm_restore_customer" => customer_lifecycle::restore, Caller;
    "crm_delete_customer" => customer_lifecycle::delete, Caller;
    "crm_bulk_tag" => customer_lifecycle::bulk_tag, Caller;
    "crm_merge_customers" => customer_lifecycle::merge, Owner;
    "crm_import_customers" => import::import, Caller;
    "crm_prune" => prune::prune, Owner;
    "crm_health" => health::health, Owner;
    "crm_export_customer" => privacy::export, Owner;
    "crm_erase_customer" => privacy::erase, Owner;
    "crm_segment_validate" => segment::validate, Owner;
    "crm_segment_sql" => segment::sql, Owner;
    "crm_segment_preview" => segment::preview, Owner;
    "crm_segment_explain" => segment::explain, Owner;
    "crm_segment_matches" => segment::matches, Owner;
    "crm_segment_fields" => segment::fields, Owner;
    "crm_segment_aggregates" => segment::aggregates, Owner;
    "crm_segment_vocabulary" => segment::vocabulary, Owner;
    "crm_create_segment" => segment::create, Owner;
    "crm_update_segment" => segment::update, Owner;
    "crm_recompute_segment" => segment::recompute, Owner;
    "crm_recompute_due_segments" => segment::recompute_due, Owner;
    "crm_segment_add_members" => segment::add_members, Owner;
    "crm_segment_remove_members" => segment::remove_members, Owner;
    "crm_score_segment" => segment::score::start, Owner;
    "crm_cancel_ai_job" => segment::score::cancel, Owner;
    "crm_claim_scores" => segment::score::claim, Owner;
    "crm_store_scores" => segment::score::store, Owner;
    "crm_can_contact" => consent::can_contact, Caller;
    "crm_send_message" => outbox::send, Owner;
    "crm_claim_messages" => outbox::claim, Owner;
    "crm_complete_message" => outbox::complete, Owner;
    "crm_fail_message" => outbox::fail, Owner;
    "crm_mark_message_unknown" => outbox::mark_unknown, Owner;
    "crm_record_message_status" => outbox::record_status, Owner;
    "crm_retry_message" => outbox::retry, Owner;
    "crm_cancel_message" => outbox::cancel, Owner;
    "crm_create_automation_rule" => automation::create, Owner;
    "crm_update_automation_rule" => automation::update, Owner;
    "crm_automation_history" => automation::history, Caller;
    "crm_emit_event" => event::emit, Owner;
    "crm_run_automations" => automation::runner::run_automations, Owner;
    "crm_process_segment_automations" => automation::runner::process_segments, Owner;
    "crm_process_time_based" => automation::runner::process_time_based, Owner;
    "crm_retry_automation_run" => automation::retry::retry, Owner;
    "crm_preview_automation" => automation::preview::preview, Owner;
    "crm_create_client" => client::create, Caller;
    "crm_reserve_ai" => ai_usage::reserve, Owner;
    "crm_settle_ai" => ai_usage::settle, Owner;
    "crm_ai_usage" => ai_usage::report, Caller;
    "can_access_client" => client::can_access_client, Owner;
    "can_access_project" => client::can_access_project, Owner;
    "can_manage_lead" => client::can_manage_lead, Owner;
    "calculate_conversion_rate" => project::conversion_rate, Caller;
    "get_source_performance" => project::source_performance, Caller;
    "get_project_summary" => project::summary, Caller;
    "crm_create_lead" => lead::create, Owner;
    "crm_update_lead" => lead::update, Owner;
    "crm_assign_lead" => lead::assign, Owner;
    "crm_convert_lead" => lead::convert, Owner;
    "crm_score_leads" => lead_score::score, Owner;
    "create_conversation" => conversation::create, Owner;
    "update_conversation_stats" => conversation::update_stats, Owner;
    "process_incoming_message" => conversation::process_incoming, Owner;
    "crm_reply_to_conversation" => conversation::reply, Owner;
    "crm_create_channel" => channel::create, Owner;
    "crm_update_channel" => channel::update, Owner;
    "crm_find_channel" => channel::find, Owner;
    "crm_create_webhook_endpoint" => channel::create_endpoint, Owner;
    "crm_update_webhook_endpoint" => channel::update_endpoint, Owner;
    "crm_list_webhook_deliveries" => delivery::list, Caller;
    "crm_replay_webhook_delivery" => delivery::replay, Owner;
    "crm_replay_webhook_endpoint" => delivery::replay_endpoint, Owner;
    "crm_receive_webhook" => webhook::receive, Owner;
    "crm_submit_form" => form::submit, Owner;
    "portal_list_service_types" => booking::calendar::service_types, Owner;
    "portal_available_slots" => booking::calendar::portal, Owner;
    "crm_available_slots" => booking::calendar::staff, Owner;
    "portal_hold_slot" => booking::hold::take, Owner;
    "portal_release_hold" => booking::hold::release, Owner;
    "portal_create_booking" => booking::request::create, Owner;
    "portal_list_bookings" => booking::request::list, Owner;
    "portal_get_booking" => booking::request::get, Owner;
    "portal_cancel_booking" => booking::request::cancel, Owner;
    "crm_review_booking" => booking::schedule::review, Owner;
    "crm_schedule_booking" => booking::schedule::schedule, Owner;
    "crm_process_bookings" => booking::process::process, Owner;
    "crm_make_planned_visits" => booking::plan::make, Owner;
    "portal_reschedule_appointment" => booking::appointment::reschedule, Owner;
    "portal_cancel_appointment" => booking::appointment::cancel, Owner;
    "crm_create_portal_invite" => portal_account::create_invite, Owner;
    "crm_revoke_portal_invite" => portal_account::revoke_invite, Owner;
    "crm_update_portal_account" => portal_account::update, Owner;
    "crm_set_portal_access" => portal_account::set_access, Owner;
    "portal_find_signup" => portal_account::find_signup, Owner;
    "portal_register_signup" => portal_account::register_signup, Owner;
    "portal_complete_signup" => portal_account::complete_signup, Owner;
    "portal_find_invite" => portal_account::find_invite, Owner;
    "portal_accept_invite" => portal_account::accept_invite, Owner;
    "portal_session" => portal_account::sign_in, Owner;
    "portal_dashboard" => portal_account::dashboard, Owner;
    "portal_get_settings" => portal_account::get_settings, Owner;
    "portal_update_profile" => portal_account::update_profile, Owner;
    "portal_update_notifications" => portal_account::update_notifications, Owner;
    "portal_log_event" => portal_account::log_event, Owner;
    "portal_list_appointments" => appointment::list, Owner;
    "portal_get_appointment" => appointment::get, Owner;
    "portal_appointment_status" => appointment::status, Owner;
    "portal_service_history" => appointment::history, Owner;
    "portal_get_job" => appointment::get_job, Owner;
    "portal_list_documents" => appointment::list_documents, Owner;
    "portal_get_document" => appointment::get_document, Owner;
    "portal_list_invoices" => appointment::list_invoices, Owner;
    "portal_list_memberships" => appointment::list_memberships, Owner;
    "portal_create_thread" => portal_thread::create, Owner;
    "portal_list_threads" => portal_thread::list, Owner;
    "portal_list_messages" => portal_thread::list_messages, Owner;
    "portal_send_message" => portal_thread::send_message, Owner;
    "portal_get_message_file" => portal_thread::get_message_file, Owner;
    "portal_mark_thread_read" => portal_thread::mark_thread_read, Owner;
    "portal_start_ai_conversation" => portal_assistant::start, Owner;
    "portal_list_ai_conversations" => portal_assistant::list, Owner;
    "portal_get_ai_conversation" => portal_assistant::get, Owner;
    "portal_add_ai_message" => portal_assistant::ask, Owner;
    "portal_ai_context" => portal_assistant::context, Owner;
    "portal_store_ai_answer" => portal_assistant::store_answer, Owner;
    "portal_escalate_ai_conversation" => portal_assistant::escalate, Owner;
    "crm_create_portal_thread" => portal_thread::create_thread, Owner;
    "crm_list_portal_threads" => portal_thread::list_threads, Owner;
    "crm_get_portal_thread" => portal_thread::get_thread, Owner;
    "crm_reply_to_portal_thread" => portal_thread::reply, Owner;
    "crm_mark_portal_thread_read" => portal_thread::mark_read, Owner;
    "crm_update_portal_thread" => portal_thread::update, Owner;
    "crm_send_portal_notices" => portal_notice::send, Owner;
    "kb_search" => kb::search, Owner;
    "kb_list_articles" => kb::list, Owner;
    "kb_get_article" => kb::get, Owner;
    "crm_claim_kb_articles" => kb::claim, Owner;
    "crm_store_kb_chunks" => kb::store, Owner;
    "crm_claim_sentiments" => sentiment::claim, Owner;
    "crm_store_sentiments" => sentiment::store, Owner;
}
