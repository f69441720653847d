//! Over the platform's `fetch`. reqwest's own way there cannot refuse redirects.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::{StreamExt, stream};
use js_sys::{Array, Promise, Reflect, Uint8Array};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, Request, RequestInit, RequestRedirect, Response};

use super::{Answer, Client, MAX_ANSWER, Method, NoAnswer, Opened, Post};

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

    pub(super) async fn open<B: AsRef<[u8]> + Send>(
        &self,
        method: Method,
        post: Post<B>,
    ) -> Result<Opened, NoAnswer> {
        SendWrapper::new(exchange(method, post)).await
    }
}

/// Ends the exchange when it is let go of: after a time-out, or with the body half read.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn exchange<B: AsRef<[u8]>>(method: Method, post: Post<B>) -> Result<Opened, NoAnswer> {
    let abort = Abort(AbortController::new().map_err(|_| NoAnswer::Unsent)?);
    let request = request(method, &post, &abort.0).map_err(|_| NoAnswer::Unsent)?;
    let response = JsFuture::from(fetch(&request)).await.map_err(|error| reason(&error))?;
    let response: Response = response.dyn_into().map_err(|_| NoAnswer::Dropped)?;
    let head = Answer {
        status: response.status(),
        headers: headers(&response.headers()),
        body: Vec::new(),
    };
    let Some(body) = response.body() else {
        return Ok(Opened { head, chunks: Box::pin(stream::empty()) });
    };
    let chunks = wasm_streams::ReadableStream::from_raw(body).into_stream().map(move |chunk| {
        // It lives as long as somebody reads.
        let _ = &abort;
        chunk
            .map(|chunk| Bytes::from(Uint8Array::new(&chunk).to_vec()))
            .map_err(|error| reason(&error))
    });
    Ok(Opened { head, chunks: Box::pin(SendWrapper::new(chunks)) })
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
