//! The edge function `portal`: what the customers of an org do themselves.
//!
//! Who is signed in is checked by `PostgREST`, and what they may see by each RPC: it begins with their account.

use std::sync::Arc;

use axum::{Extension, Router};
use fieldcrm_edge::ai::embed::{Builtin, Embedder};
use fieldcrm_edge::{Config, Ports, service};

mod account;
mod appointment;
mod booking;
mod kb;
mod settings;
mod thread;

/// The function's router with the builtin embedder.
pub fn router(ports: Ports, config: &Config) -> Router {
    router_with(ports, config, Arc::new(Builtin))
}

/// The function's router; every host and every test serves this one.
pub fn router_with(ports: Ports, config: &Config, embedder: Arc<dyn Embedder>) -> Router {
    let add = [account::add, appointment::add, booking::add, kb::add, settings::add, thread::add];
    let routes = add.into_iter().fold(Router::new(), |routes, add| add(routes));
    let routes = routes.layer(Extension(kb::Settings { embedder }));
    service::wrap("portal", routes, ports, config)
}

/// What `supabase/functions/portal/index.ts` gives to `Deno.serve`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn handle(request: web_sys::Request, env: &js_sys::Object) -> js_sys::Promise {
    fieldcrm_edge::host::supabase::serve(request, env, |ports, config, variable| {
        router_with(ports, config, fieldcrm_edge::ai::embed::read_or_explain(variable))
    })
}
