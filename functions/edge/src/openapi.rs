//! `GET /<slug>/openapi.json`: what a function takes and answers.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;

use crate::Ports;

/// The document, under each of the function's slugs. Who may read it is for the platform to say: the function asks for no token.
pub fn routes(slugs: &[&str], document: &'static str) -> Router<Ports> {
    let show = move || async move {
        let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=300")];
        (headers, document)
    };
    let under = |routes: Router<Ports>, slug: &&str| {
        routes.route(&format!("/{slug}/openapi.json"), get(show))
    };
    slugs.iter().fold(Router::new(), under)
}
