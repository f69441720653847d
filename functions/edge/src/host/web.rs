//! Supabase Edge Functions (Deno) and Cloudflare Workers: the web's `Request` and `Response` over wasm-bindgen. What differs between
//! them is in `supabase/functions/_shared/serve.ts` and `functions/cloudflare/worker.js`.
//!
//! One instance of the module serves many requests at a time. A panic aborts the instance in the middle
//! of whatever it was doing, so the panic hook answers all requests that are under way and has the next
//! call start on a fresh instance.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::panic::PanicHookInfo;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use axum::http::{self, HeaderName, HeaderValue};
use axum::response::Response;
use fieldcrm_core::{Error, Result};
use futures_util::future::{Either, select};
use futures_util::{FutureExt, StreamExt};
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use send_wrapper::SendWrapper;
use serde_json::json;
use tower_service::Service;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, TransformStream, WritableStreamDefaultWriter};

use crate::database::Watched;
use crate::request::{MAX_TARGET, REQUEST_ID, RequestId, too_long};
use crate::{Config, Console, Log, Ports, Problem, log};

/// The environment's variables, for what a function alone reads of them.
pub type Variables<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Makes the function's router; called once an instance.
pub type Build = fn(Ports, &Config, &Variables<'_>) -> Router;

thread_local! {
    static ROUTER: OnceCell<Router> = const { OnceCell::new() };
    /// The requests under way, with what answers them.
    static WAITING: RefCell<HashMap<u64, Waiting>> = RefCell::default();
    /// What ends the bodies that are still flowing.
    static FLOWING: RefCell<HashMap<u64, WritableStreamDefaultWriter>> = RefCell::default();
    static LAST: Cell<u64> = const { Cell::new(0) };
}

struct Waiting {
    request_id: String,
    answer: Function,
    refuse: Function,
}

impl Waiting {
    fn settle(&self, response: Result<web_sys::Response, JsValue>) {
        // The functions that settle a promise throw nothing.
        let _ = match response {
            Ok(response) => self.answer.call1(&JsValue::UNDEFINED, &response),
            Err(error) => self.refuse.call1(&JsValue::UNDEFINED, &error),
        };
    }
}

/// Answers one request; `env` is an object with the environment's variables.
///
/// The promise is made here rather than by `async fn`, so that the panic hook can keep it.
pub fn serve(request: web_sys::Request, env: &Object, build: Build) -> Promise {
    let router = router(env, build);
    let sent = request.headers().get(REQUEST_ID.as_str()).ok().flatten();
    let id = RequestId::accept(sent.as_deref());
    let key = next_key();
    let resolvers = Promise::with_resolvers();
    let waiting = Waiting {
        request_id: id.0.clone(),
        answer: resolvers.resolve().unchecked_into(),
        refuse: resolvers.reject().unchecked_into(),
    };
    WAITING.with_borrow_mut(|all| all.insert(key, waiting));
    wasm_bindgen_futures::spawn_local(async move {
        let response = match incoming(&request, &id).and_then(|request| Ok((request, router?))) {
            Ok((request, mut router)) => match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Err(error) => unrouted(error, &id.0),
        };
        let response = outgoing(response).await;
        if let Some(waiting) = WAITING.with_borrow_mut(|all| all.remove(&key)) {
            waiting.settle(response);
        }
    });
    resolvers.promise()
}

fn next_key() -> u64 {
    LAST.replace(LAST.get() + 1)
}

fn router(env: &Object, build: Build) -> Result<Router> {
    if let Some(router) = ROUTER.with(|router| router.get().cloned()) {
        return Ok(router);
    }
    std::panic::set_hook(Box::new(answer_for_panic));
    let variable = |name: &str| Reflect::get(env, &name.into()).ok()?.as_string();
    let config = Config::read(variable).inspect_err(|error| {
        log::event(&Console, "error", "config", json!({"cause": error.hint}));
    })?;
    let log: Arc<dyn Log> = Arc::new(Console);
    let database = Arc::new(Watched::postgrest(&config, log.clone()));
    let router = build(Ports { database, log }, &config, &variable);
    Ok(ROUTER.with(|cell| cell.get_or_init(|| router).clone()))
}

fn incoming(request: &web_sys::Request, id: &RequestId) -> Result<http::Request<Body>> {
    let refused = || Error::internal("the platform handed over a request that is none");
    // The router reads path and query; the rest of the URL is the platform's.
    let url: http::Uri = request.url().parse().map_err(|_| match request.url().len() {
        0..=MAX_TARGET => refused(),
        _ => too_long(),
    })?;
    let path = url.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut parts = http::Request::builder().method(request.method().as_str()).uri(path);
    for entry in js_sys::try_iter(&request.headers()).ok().flatten().into_iter().flatten().flatten()
    {
        let entry = Array::from(&entry);
        let (name, value) = (entry.get(0).as_string(), entry.get(1).as_string());
        if let (Some(name), Some(value)) = (name, value)
            && let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            && name != REQUEST_ID
        {
            parts = parts.header(name, value);
        }
    }
    parts = parts.header(REQUEST_ID, &id.0);
    let body = request.body().map_or_else(Body::empty, |stream| {
        // Read as the handler asks for it, so that what is over the limit is never held.
        let chunks = wasm_streams::ReadableStream::from_raw(stream).into_stream().map(|chunk| {
            chunk
                .map(|chunk| Bytes::from(Uint8Array::new(&chunk).to_vec()))
                .map_err(|_| std::io::Error::from(std::io::ErrorKind::UnexpectedEof))
        });
        Body::from_stream(SendWrapper::new(chunks))
    });
    parts.body(body).map_err(|_| refused())
}

async fn outgoing(response: Response) -> Result<web_sys::Response, JsValue> {
    let (parts, body) = response.into_parts();
    let headers = web_sys::Headers::new()?;
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            headers.append(name.as_str(), value)?;
        }
    }
    let init = web_sys::ResponseInit::new();
    init.set_status(parts.status.as_u16());
    init.set_headers(&headers);
    // What does not know its length is made while it is read.
    if body.size_hint().exact().is_none() {
        let body = flow(body)?;
        return web_sys::Response::new_with_opt_readable_stream_and_init(Some(&body), &init);
    }
    let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|_| "no whole body")?;
    // 204 and 304 may not even have an empty body.
    let body = (!body.is_empty()).then(|| Uint8Array::from(body.as_ref()));
    web_sys::Response::new_with_opt_js_u8_array_and_init(body.as_ref(), &init)
}

/// A body that is made while it is read; where the reader leaves, it is dropped. The stream between is JavaScript's own: after a
/// panic nobody asks the instance that is gone.
fn flow(body: Body) -> Result<ReadableStream, JsValue> {
    let through = TransformStream::new()?;
    let writer = through.writable().get_writer()?;
    let key = next_key();
    FLOWING.with_borrow_mut(|all| all.insert(key, writer.clone()));
    wasm_bindgen_futures::spawn_local(async move {
        let mut chunks = body.into_data_stream();
        let mut left = JsFuture::from(writer.closed());
        // A rejected promise says that the reader has left; there is nobody to tell.
        let _ = loop {
            match select(chunks.next(), &mut left).await {
                Either::Left((Some(Ok(chunk)), _)) => {
                    let chunk = Uint8Array::from(chunk.as_ref());
                    if let Err(left) = JsFuture::from(writer.write_with_chunk(&chunk)).await {
                        break Err(left);
                    }
                }
                Either::Left((Some(Err(_)), _)) => {
                    break JsFuture::from(writer.abort_with_reason(&"the body broke off".into()))
                        .await;
                }
                Either::Left((None, _)) => break JsFuture::from(writer.close()).await,
                Either::Right((left, _)) => break left,
            }
        };
        FLOWING.with_borrow_mut(|all| all.remove(&key));
    });
    Ok(through.readable())
}

/// The answer where no router is; any origin may read it, there is nothing in it.
fn unrouted(error: Error, request_id: &str) -> Response {
    let mut response = Problem(error).write(Response::default(), request_id);
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// What a response is made of, for the platform to make it: on Workers none may be made for another request than the one at work.
fn told(response: Response) -> Option<Object> {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).now_or_never()?.ok()?;
    let headers = Array::new();
    for (name, value) in &parts.headers {
        headers.push(&Array::of2(&name.as_str().into(), &value.to_str().ok()?.into()));
    }
    let told = Object::new();
    for (name, value) in [
        ("status", parts.status.as_u16().into()),
        ("headers", headers.into()),
        ("body", String::from_utf8_lossy(&body).as_ref().into()),
    ] {
        Reflect::set(&told, &name.into(), &value).ok()?;
    }
    Some(told)
}

/// Where the platform keeps how many instances have panicked: their own memory is gone.
const PANICS: &str = "fieldcrmPanics";

pub(crate) fn panics() -> u32 {
    let count = Reflect::get(&js_sys::global(), &PANICS.into()).unwrap_or_default();
    // As a string, since no number of JavaScript becomes ours without a cast.
    count.as_string().and_then(|count| count.parse().ok()).unwrap_or_default()
}

/// The last thing an instance does.
fn answer_for_panic(panic: &PanicHookInfo<'_>) {
    // The place only: a message can quote data.
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let waiting: Vec<Waiting> = WAITING
        .with(|all| all.try_borrow_mut().map(|mut all| all.drain().map(|(_, one)| one).collect()))
        .unwrap_or_default();
    let ids: Vec<_> = waiting.iter().map(|one| one.request_id.as_str()).collect();
    let facts = json!({"place": place, "request_ids": ids, "status": 500});
    log::event(&Console, "error", "panic", facts);
    let _ = Reflect::set(&js_sys::global(), &PANICS.into(), &(panics() + 1).to_string().into());
    wasm_bindgen::handler::schedule_reinit();
    for one in &waiting {
        let problem = unrouted(Error::internal("panic"), &one.request_id);
        if let Some(told) = told(problem) {
            // The functions that settle a promise throw nothing.
            let _ = one.answer.call1(&JsValue::UNDEFINED, &told);
        }
    }
    let _ = FLOWING.with(|all| {
        all.try_borrow_mut().map(|mut all| {
            all.drain().for_each(|(_, end)| drop(end.abort_with_reason(&"panic".into())));
        })
    });
}
