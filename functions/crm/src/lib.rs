//! The edge function `crm`: customers and what happens with them over HTTP, for those who do not speak supabase-js.

use axum::routing::{get, post};
use axum::{Extension, Router};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::{Config, Ports, openapi, service};

mod ai_jobs;
mod automation;
mod customers;
mod drafts;
mod followups;
mod insights;
mod interactions;
mod leads;
mod next_action;
mod segments;
mod word;

/// The function's router; every host and every test serves this one.
pub fn router(ports: Ports, config: &Config, models: Models) -> Router {
    let routes = Router::new()
        .route("/crm/customers", post(customers::create_customer).get(customers::list_customers))
        .route(
            "/crm/customers/{id}",
            get(customers::show_customer)
                .patch(customers::update_customer)
                .delete(customers::delete_customer),
        )
        .route("/crm/customers/bulk-tag", post(customers::bulk_tag))
        .route("/crm/customers/{id}/archive", post(customers::archive_customer))
        .route("/crm/customers/{id}/restore", post(customers::restore_customer))
        .route("/crm/customers/{id}/merge", post(customers::merge_customers))
        .route("/crm/customers/{id}/interactions", get(interactions::list_interactions))
        .route("/crm/customers/{id}/draft-message", post(drafts::draft_message))
        .route("/crm/customers/{id}/insights", post(insights::insights))
        .route("/crm/customers/{id}/next-action", post(next_action::next_action))
        .route("/crm/customers/{id}/suggest-followups", post(followups::suggest_followups))
        .route("/crm/interactions", post(interactions::log_interaction))
        .route("/crm/interactions/{id}", get(interactions::show_interaction))
        .route("/crm/leads/score", post(leads::score_leads))
        .route("/crm/followups", post(followups::create_followup).get(followups::list_followups))
        .route(
            "/crm/followups/{id}",
            get(followups::show_followup).patch(followups::update_followup),
        );
    let routes = ai_jobs::add(automation::add(segments::add(routes))).layer(Extension(models));
    let routes = routes.merge(openapi::routes(&["crm"], include_str!("../openapi.json")));
    service::wrap("crm", &["crm"], routes, ports, config)
}

/// What `supabase/functions/crm/index.ts` gives to `Deno.serve`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn handle(request: web_sys::Request, env: &js_sys::Object) -> js_sys::Promise {
    use fieldcrm_edge::database::BackEnd;

    fieldcrm_edge::host::web::serve(request, env, |ports, config, variable| {
        let back_end = BackEnd::read(config, variable, ports.log.clone());
        let models = Models::read(variable, back_end, ports.log.clone());
        router(ports, config, models)
    })
}
