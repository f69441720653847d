//! `GET /<slug>/healthz` and `GET /<slug>/metrics`, which every function has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use fieldcrm_core::{Code, Error};
use futures_util::StreamExt;
use serde_json::{Map, json};

use crate::{Caller, Ports, Problem, metrics};

/// How many requests a router works on, and how many it takes.
#[derive(Clone)]
pub(crate) struct Load {
    under_way: Arc<AtomicUsize>,
    most: usize,
}

/// One of them, until it is dropped.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Load {
    pub fn new(most: usize) -> Self {
        Self { under_way: Arc::default(), most }
    }

    fn enter(&self) -> Option<UnderWay> {
        let before = self.under_way.fetch_add(1, Ordering::Relaxed);
        let entered = UnderWay(self.under_way.clone());
        (before < self.most).then_some(entered)
    }
}

/// Refuses at once what is too much: who waits longer than its caller does is answered for nothing.
pub(crate) async fn shed(State(load): State<Load>, request: Request, next: Next) -> Response {
    let Some(entered) = load.enter() else {
        let cause = format!("more than {} requests are under way", load.most);
        return ([(RETRY_AFTER, "1")], Problem(Error::new(Code::Unavailable, cause)))
            .into_response();
    };
    let response = next.run(request).await;
    // What is made while it is read is under way until then.
    if axum::body::HttpBody::size_hint(response.body()).exact().is_some() {
        return response;
    }
    response.map(|body| {
        let chunks = body.into_data_stream().map(move |chunk| {
            let _ = &entered;
            chunk
        });
        axum::body::Body::from_stream(chunks)
    })
}

/// The two routes, under each of the function's slugs.
pub(crate) fn routes(slugs: &[&str], load: Load) -> Router<Ports> {
    let under = |routes: Router<Ports>, slug: &&str| {
        routes
            .route(&format!("/{slug}/healthz"), get(show_health))
            .route(&format!("/{slug}/metrics"), get(show_metrics))
    };
    slugs.iter().fold(Router::new(), under).layer(Extension(load))
}

/// Asks nobody: says that the module is loaded and has its settings.
async fn show_health() -> Response {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})).into_response()
}

/// For whom `crm_health` answers: the database sees the caller's own token and decides.
async fn show_metrics(
    State(ports): State<Ports>,
    Extension(load): Extension<Load>,
    caller: Caller,
) -> Result<Response, Problem> {
    let health = ports.database.rpc(&caller, "crm_health", Map::new()).await?;
    let under_way = load.under_way.load(Ordering::Relaxed);
    let text = metrics::exposition(under_way, &health);
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
