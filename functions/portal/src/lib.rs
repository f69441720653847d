//! The edge function `portal`: what the customers of an org do themselves.
//!
//! Who is signed in is checked by `PostgREST`, and what they may see by each RPC: it begins with their account.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use fieldcrm_core::{Code, Error};
use fieldcrm_edge::ai::embed::{Builtin, Embedder};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::{Config, Ports, Problem, SignUrls, openapi, service};

mod account;
mod appointment;
mod arguments;
mod assistant;
mod booking;
mod identity;
mod kb;
mod settings;
mod thread;

pub use identity::Identity;

/// What the portal needs besides the database.
pub struct Services {
    /// Who signs up and in.
    pub identity: Identity,
    /// What signs the URLs of documents; without it none is handed out.
    pub urls: Option<Arc<dyn SignUrls>>,
    /// What questions to the knowledge base are compared by.
    pub embedder: Arc<dyn Embedder>,
    /// What the assistant asks.
    pub models: Models,
}

impl Services {
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        Self { identity, urls: None, embedder: Arc::new(Builtin), models: Models::builtin() }
    }
}

/// The function's router; every host and every test serves this one.
pub fn router(ports: Ports, config: &Config, services: Services) -> Router {
    let Services { identity, urls, embedder, models } = services;
    let (identity, search) = (Arc::new(identity), kb::Settings { embedder });
    let assistant =
        assistant::Settings { identity: identity.clone(), search: search.clone(), models };
    let add = [
        account::add,
        appointment::add,
        assistant::add,
        booking::add,
        kb::add,
        settings::add,
        thread::add,
    ];
    let routes = add.into_iter().fold(Router::new(), |routes, add| add(routes));
    let routes = routes
        .layer(Extension(identity))
        .layer(Extension(appointment::Urls(urls)))
        .layer(Extension(search))
        .layer(Extension(assistant))
        .layer(from_fn(require_token));
    let routes = routes.merge(openapi::routes(&["portal"], include_str!("../openapi.json")));
    service::wrap("portal", &["portal"], routes, ports, config)
}

/// Refuses whoever sends no token, before the database is asked: the gateway lets everybody through to this slug, for
/// those who have no account yet and for readers of the public knowledge base.
async fn require_token(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let public = matches!(path, "/portal/signup" | "/portal/accept-invite")
        || path == "/portal/kb"
        || path.starts_with("/portal/kb/");
    if public || request.headers().contains_key(AUTHORIZATION) {
        return next.run(request).await;
    }
    Problem(Error::new(Code::Unauthenticated, "Sign in to the portal.")).into_response()
}

/// What `supabase/functions/portal/index.ts` gives to `Deno.serve`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn handle(request: web_sys::Request, env: &js_sys::Object) -> js_sys::Promise {
    use fieldcrm_edge::database::BackEnd;
    use fieldcrm_edge::signed_url::StorageUrls;

    fieldcrm_edge::host::web::serve(request, env, |ports, config, variable| {
        let back_end = BackEnd::read(config, variable, ports.log.clone());
        let models = Models::read(variable, back_end.clone(), ports.log.clone());
        let identity = Identity::new(config, fieldcrm_edge::http::Client::new(), back_end);
        let urls = StorageUrls::read(config, variable);
        let services = Services {
            urls: urls.map(|urls| Arc::new(urls) as Arc<dyn SignUrls>),
            embedder: fieldcrm_edge::ai::embed::read_or_explain(variable),
            models,
            ..Services::new(identity)
        };
        router(ports, config, services)
    })
}
