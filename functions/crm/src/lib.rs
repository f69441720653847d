//! The edge function `crm`: customers over HTTP, for those who do not speak supabase-js.

use axum::Router;
use axum::routing::{get, post};
use fieldcrm_edge::{Config, Ports, service};

mod customers;
mod segments;

/// The function's router; every host and every test serves this one.
pub fn router(ports: Ports, config: &Config) -> Router {
    let routes = Router::new()
        .route("/crm/customers", post(customers::create_customer).get(customers::list_customers))
        .route(
            "/crm/customers/{id}",
            get(customers::show_customer).patch(customers::update_customer),
        );
    let routes = segments::add(routes);
    service::wrap("crm", routes, ports, config)
}

/// What `supabase/functions/crm/index.ts` gives to `Deno.serve`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn handle(request: web_sys::Request, env: &js_sys::Object) -> js_sys::Promise {
    fieldcrm_edge::host::supabase::serve(request, env, router)
}
