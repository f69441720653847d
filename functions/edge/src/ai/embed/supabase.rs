//! The model that the edge runtime of Supabase brings: `new Supabase.ai.Session('gte-small')`.

use std::cell::OnceCell;

use async_trait::async_trait;
use fieldcrm_core::kb::Embedding;
use fieldcrm_core::{Error, Result};
use js_sys::{Array, Function, Object, Promise, Reflect};
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::{Embedder, cut, unavailable};
use fieldcrm_core::kb::is_usable;

const MODEL: &str = "gte-small";

thread_local! {
    /// It loads the model: once an instance.
    static SESSION: OnceCell<JsValue> = const { OnceCell::new() };
}

pub struct GteSmall;

#[async_trait]
impl Embedder for GteSmall {
    fn model(&self) -> &str {
        MODEL
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Embedding>> {
        SendWrapper::new(async move {
            let session = session()?;
            let mut all = Vec::with_capacity(texts.len());
            for text in &texts {
                all.push(run(&session, &cut(text)).await?);
            }
            Ok(all)
        })
        .await
    }
}

/// The session, or that there is none outside Supabase's runtime.
fn session() -> Result<JsValue> {
    if let Some(session) = SESSION.with(|cell| cell.get().cloned()) {
        return Ok(session);
    }
    let made = || -> std::result::Result<JsValue, JsValue> {
        let supabase = Reflect::get(&js_sys::global(), &"Supabase".into())?;
        let ai = Reflect::get(&supabase, &"ai".into())?;
        let class: Function = Reflect::get(&ai, &"Session".into())?.dyn_into()?;
        Reflect::construct(&class, &Array::of1(&MODEL.into()))
    };
    let made = made().map_err(|_| {
        Error::internal("EMBEDDING_PROVIDER=supabase works in Supabase Edge Functions only: there is no Supabase.ai here")
    })?;
    Ok(SESSION.with(|cell| cell.get_or_init(|| made).clone()))
}

async fn run(session: &JsValue, text: &str) -> Result<Embedding> {
    let asked = || -> std::result::Result<Promise, JsValue> {
        let options = Object::new();
        Reflect::set(&options, &"mean_pool".into(), &true.into())?;
        Reflect::set(&options, &"normalize".into(), &true.into())?;
        let run: Function = Reflect::get(session, &"run".into())?.dyn_into()?;
        Ok(Promise::resolve(&run.call2(session, &text.into(), &options)?))
    };
    let promise = asked().map_err(|_| unavailable("failed"))?;
    let answer = JsFuture::from(promise).await.map_err(|_| unavailable("failed"))?;
    #[allow(clippy::cast_possible_truncation, reason = "that is how exact an embedding is kept")]
    let numbers: Vec<f32> =
        Array::from(&answer).iter().map(|one| one.as_f64().unwrap_or(f64::NAN) as f32).collect();
    let usable = is_usable(&numbers).then(|| numbers.try_into().ok()).flatten();
    usable.ok_or_else(|| unavailable("answered without 384 numbers"))
}
