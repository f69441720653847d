//! `Deno.resolveDns`, which Supabase's edge runtime has as well.

use async_trait::async_trait;
use futures_util::future::{Either, join, select};
use gloo_timers::future::sleep;
use js_sys::{Array, Function, Promise, Reflect};
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::{Lookup, Resolver, TIMEOUT};

/// The resolver of the platform that the module runs on.
pub struct PlatformResolver;

#[async_trait]
impl Resolver for PlatformResolver {
    async fn lookup(&self, host: &str) -> Lookup {
        SendWrapper::new(lookup(host)).await
    }
}

async fn lookup(host: &str) -> Lookup {
    let Ok(deno) = Reflect::get(&js_sys::global(), &"Deno".into()) else {
        return Lookup::Unavailable;
    };
    let Some(resolve) = Reflect::get(&deno, &"resolveDns".into())
        .ok()
        .and_then(|function| function.dyn_into::<Function>().ok())
    else {
        return Lookup::Unavailable;
    };
    let both =
        Box::pin(join(records(&deno, &resolve, host, "A"), records(&deno, &resolve, host, "AAAA")));
    match select(both, sleep(TIMEOUT)).await {
        // Half of the answer is none: the other half may be what leads inside.
        Either::Left(((Some(v4), Some(v6)), _)) => {
            let all = v4.iter().chain(&v6).map(|address| address.parse());
            all.collect::<Result<_, _>>().map_or(Lookup::Failed, Lookup::Addresses)
        }
        _ => Lookup::Failed,
    }
}

/// The addresses of one kind; none where the name has none.
async fn records(
    deno: &JsValue,
    resolve: &Function,
    host: &str,
    kind: &str,
) -> Option<Vec<String>> {
    let promise = resolve.call2(deno, &host.into(), &kind.into()).ok()?;
    match JsFuture::from(promise.dyn_into::<Promise>().ok()?).await {
        Ok(list) => Some(Array::from(&list).iter().filter_map(|one| one.as_string()).collect()),
        Err(error) => {
            let name = Reflect::get(&error, &"name".into()).ok()?.as_string()?;
            (name == "NotFound").then(Vec::new)
        }
    }
}
