//! Over the platform's `fetch`. reqwest's own way there cannot refuse redirects.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use gloo_timers::future::{TimeoutFuture, sleep};
use js_sys::{Array, Promise, Reflect, Uint8Array};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, Request, RequestInit, RequestRedirect, Response};

use super::{Answer, Client, MAX_ANSWER, Method, NoAnswer, Post};

#[wasm_bindgen]
extern "C" {
    /// The global one: of Deno, of Workers.
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(request: &Request) -> Promise;
}

impl Client {
    #[must_use]
    pub fn with_timeout(timeout: Duration) -> Self {
        Self { timeout, max_answer: MAX_ANSWER }
    }

    pub async fn send<B: AsRef<[u8]> + Send>(
        &self,
        method: Method,
        post: Post<B>,
    ) -> Result<Answer, NoAnswer> {
        SendWrapper::new(exchange(method, post, self.timeout, self.max_answer)).await
    }
}

/// Ends the exchange when it is let go of: after a time-out, or with the body half read.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn exchange<B: AsRef<[u8]>>(
    method: Method,
    post: Post<B>,
    timeout: Duration,
    max_answer: usize,
) -> Result<Answer, NoAnswer> {
    let abort = Abort(AbortController::new().map_err(|_| NoAnswer::Unsent)?);
    let request = request(method, &post, &abort.0).map_err(|_| NoAnswer::Unsent)?;
    let mut late = sleep(timeout);
    let response = match select(JsFuture::from(fetch(&request)), &mut late).await {
        Either::Left((response, _)) => response.map_err(|error| reason(&error))?,
        Either::Right(_) => return Err(NoAnswer::TimedOut),
    };
    let response: Response = response.dyn_into().map_err(|_| NoAnswer::Dropped)?;
    let headers = headers(&response.headers());
    let body = body(&response, late, max_answer).await;
    Ok(Answer { status: response.status(), headers, body })
}

fn request<B: AsRef<[u8]>>(
    method: Method,
    post: &Post<B>,
    abort: &AbortController,
) -> Result<Request, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in &post.headers {
        headers.append(name, value)?;
    }
    let init = RequestInit::new();
    init.set_method(method.as_str());
    init.set_headers(&headers);
    let body = post.body.as_ref();
    if !body.is_empty() {
        init.set_body(&Uint8Array::from(body));
    }
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(&abort.signal()));
    Request::new_with_str_and_init(&post.url, &init)
}

fn headers(headers: &Headers) -> Vec<(String, String)> {
    js_sys::try_iter(headers)
        .ok()
        .flatten()
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let entry = Array::from(&entry);
            Some((entry.get(0).as_string()?, entry.get(1).as_string()?))
        })
        .collect()
}

/// The status is the answer; a body that breaks off or is late changes nothing about it.
async fn body(response: &Response, mut late: TimeoutFuture, max_answer: usize) -> Vec<u8> {
    let mut body = Vec::new();
    let Some(stream) = response.body() else { return body };
    let mut chunks = wasm_streams::ReadableStream::from_raw(stream).into_stream();
    while let Either::Left((Some(Ok(chunk)), _)) = select(chunks.next(), &mut late).await {
        body.extend_from_slice(&Uint8Array::new(&chunk).to_vec());
        if body.len() >= max_answer {
            body.truncate(max_answer);
            break;
        }
    }
    body
}

/// Deno says so where there was no connection, and where it did not let us try. Whoever says nothing of the kind
/// (Workers) may have sent it.
fn reason(error: &JsValue) -> NoAnswer {
    let text = |value: &JsValue, name: &str| {
        Reflect::get(value, &name.into()).ok().and_then(|text| text.as_string()).unwrap_or_default()
    };
    let cause = Reflect::get(error, &"cause".into()).unwrap_or_default();
    let says = |words: &str| {
        text(error, "message").contains(words)
            || (cause.is_object() && text(&cause, "message").contains(words))
    };
    let forbidden = matches!(text(error, "name").as_str(), "NotCapable" | "PermissionDenied");
    if forbidden || says("client error (Connect)") { NoAnswer::Unsent } else { NoAnswer::Dropped }
}
