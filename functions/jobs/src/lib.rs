//! The edge functions that work off what is due: `handle-event-trigger`, `process-time-based-automations`,
//! `process-segment-automations`, `dispatch-messages`, `embed-kb-articles`, `analyze-interaction-sentiment` and
//! `score-segments`, seven slugs of one module.
//!
//! They are for schedulers and for other back ends. None works with a key of its own to the database, but to charge orgs for
//! models: it goes on with the caller's token, and the RPCs refuse everybody but the service role.

use std::sync::Arc;
use std::time::Duration;

use axum::routing::post;
use axum::{Extension, Router};
use fieldcrm_edge::ai::embed::{Builtin, Embedder};
use fieldcrm_edge::{Config, Ports, openapi, service};

mod arguments;
mod automation;
mod dispatch;
mod event;
mod kb;
pub mod provider;
pub mod score;
pub mod sentiment;
mod work;

use provider::Providers;
use score::Judge;
use sentiment::Analyst;

/// How long a call goes on taking up new work. What it has begun it ends: a platform has to let a call live
/// for about [`LEASE`] in the worst case.
///
/// [`LEASE`]: dispatch::LEASE
pub const BUDGET: Duration = Duration::from_secs(20);

/// What the functions need beside the ports.
#[derive(Clone)]
pub struct Settings {
    pub providers: Arc<Providers>,
    pub embedder: Arc<dyn Embedder>,
    pub analyst: Arc<dyn Analyst>,
    pub judge: Arc<dyn Judge>,
    /// [`BUDGET`], but for tests.
    pub budget: Duration,
}

impl Settings {
    /// With the builtin embedder, analyst and judge.
    #[must_use]
    pub fn new(providers: Providers) -> Self {
        Self {
            providers: Arc::new(providers),
            embedder: Arc::new(Builtin),
            analyst: Arc::new(sentiment::Builtin),
            judge: Arc::new(score::Builtin),
            budget: BUDGET,
        }
    }
}

/// What the module is deployed as.
const SLUGS: [&str; 7] = [
    "handle-event-trigger",
    "process-time-based-automations",
    "process-segment-automations",
    "dispatch-messages",
    "embed-kb-articles",
    "analyze-interaction-sentiment",
    "score-segments",
];

/// The functions' router; every host and every test serves this one.
pub fn router(ports: Ports, config: &Config, settings: Settings) -> Router {
    let routes = Router::new()
        .route("/handle-event-trigger", post(event::handle_event_trigger))
        .route("/process-time-based-automations", post(automation::process_time_based))
        .route("/process-segment-automations", post(automation::process_segments))
        .route("/dispatch-messages", post(dispatch::dispatch_messages))
        .route("/embed-kb-articles", post(kb::embed_kb_articles))
        .route("/analyze-interaction-sentiment", post(sentiment::analyze_interaction_sentiment))
        .route("/score-segments", post(score::score_segments))
        .layer(Extension(settings));
    let routes = routes.merge(openapi::routes(&SLUGS, include_str!("../openapi.json")));
    service::wrap("jobs", &SLUGS, routes, ports, config)
}

/// What the `index.ts` of each of the slugs gives to `Deno.serve`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn handle(request: web_sys::Request, env: &js_sys::Object) -> js_sys::Promise {
    use fieldcrm_edge::ai::models::Models;
    use fieldcrm_edge::database::BackEnd;
    use fieldcrm_edge::dns::{PlatformResolver, Resolver};
    use fieldcrm_edge::http::Client;

    fieldcrm_edge::host::web::serve(request, env, |ports, config, variable| {
        let resolver: Arc<dyn Resolver> = Arc::new(PlatformResolver);
        let providers = Providers::read(variable, &Client::new(), &resolver, &ports.log);
        let embedder = fieldcrm_edge::ai::embed::read_or_explain(variable);
        let back_end = BackEnd::read(config, variable, ports.log.clone());
        let models = Models::read(variable, back_end, ports.log.clone());
        let analyst = Arc::new(sentiment::ByModel(models.clone()));
        let judge = Arc::new(score::ByModel(models));
        let settings = Settings { embedder, analyst, judge, ..Settings::new(providers) };
        router(ports, config, settings)
    })
}
