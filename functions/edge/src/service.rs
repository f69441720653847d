//! What surrounds the routes of every function: request id, problems, log, counters, CORS, limits; health and metrics beside them.

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    RETRY_AFTER,
};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use fieldcrm_core::{Code, Error};
use tower_http::cors::{AllowOrigin, CorsLayer};
use web_time::Instant;

use crate::health::Load;
use crate::log::RequestLine;
use crate::request::{IDEMPOTENCY_KEY, REQUEST_ID, RequestId};
use crate::{Config, MAX_BODY, Origins, Ports, Problem, health, log, metrics, request};

/// Turns the routes of the module `slug`, deployed under `slugs`, into the service that a host serves.
pub fn wrap(
    slug: &'static str,
    slugs: &[&str],
    routes: Router<Ports>,
    ports: Ports,
    config: &Config,
) -> Router {
    let load = Load::new(config.limits.in_flight);
    let routes = routes
        .fallback(no_such_path)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(load.clone(), health::shed))
        // Those who watch over a function learn of its load, and are none.
        .merge(health::routes(slugs, load))
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(bound_head));
    // WASM is built without unwinding: there the host answers for a panic.
    #[cfg(not(target_arch = "wasm32"))]
    let routes = routes.layer(tower_http::catch_panic::CatchPanicLayer::custom(
        |_: Box<dyn std::any::Any + Send>| {
            metrics::panicked();
            Problem(Error::internal("a handler panicked")).into_response()
        },
    ));
    routes
        .layer(cors(&config.origins))
        .layer(from_fn_with_state((slug, ports.clone()), account))
        .with_state(ports)
}

async fn bound_head(request: Request, next: Next) -> Response {
    match request::check_head(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => Problem(error).into_response(),
    }
}

async fn no_such_path() -> Problem {
    Error::new(Code::NotFound, "There is no such path.").into()
}

async fn no_such_method() -> Problem {
    Error::new(Code::MethodNotAllowed, "See the Allow header for the methods of this path.").into()
}

/// Names the request, writes its problem if it ends in one, and logs it, whatever happened inside.
async fn account(
    State((slug, ports)): State<(&'static str, Ports)>,
    mut request: Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let sent = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let id = RequestId::accept(sent);
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let template = request.extensions().get::<MatchedPath>().cloned();

    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        response = problem.write(response, &id.0);
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
    // Every answer depends on who asks.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));

    let (status, took) = (response.status().as_u16(), start.elapsed());
    let path = template.as_ref().map_or("(no route)", MatchedPath::as_str);
    metrics::request(slug, &method, path, status, took);
    RequestLine {
        ts: log::now(),
        event: "request",
        level: match status {
            500.. => "error",
            400.. => "warn",
            _ => "info",
        },
        slug,
        request_id: &id.0,
        method: method.as_str(),
        path,
        status,
        ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        code: problem.as_ref().map(|problem| problem.0.code.as_str()),
        cause: problem.as_ref().filter(|_| status >= 500).map(|problem| problem.0.hint.as_str()),
    }
    .write(ports.log.as_ref());
    response
}

fn cors(origins: &Origins) -> CorsLayer {
    let origins = match origins {
        Origins::Any => AllowOrigin::any(),
        Origins::List(origins) => {
            AllowOrigin::list(origins.iter().filter_map(|origin| origin.parse().ok()))
        }
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            IDEMPOTENCY_KEY,
            REQUEST_ID,
            HeaderName::from_static("apikey"),
            HeaderName::from_static("prefer"),
            HeaderName::from_static("x-client-info"),
        ])
        .expose_headers([ALLOW, LOCATION, REQUEST_ID, RETRY_AFTER])
        .max_age(std::time::Duration::from_hours(1))
}
