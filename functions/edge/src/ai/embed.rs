//! Embeddings: texts as points, near each other where they mean alike.
//!
//! A question and the articles are only comparable where the same model made both, so whoever stores an embedding stores
//! [`Embedder::model`] with it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fieldcrm_core::kb::{self, BUILTIN_MODEL, DIMENSIONS, Embedding, is_usable};
use fieldcrm_core::{Code, Error, Result};
use serde_json::{Value, json};

use super::{base_url, key, model, trimmed};
use crate::http::{Client, Post};

#[cfg(target_arch = "wasm32")]
mod supabase;

/// Texts in one call of [`Embedder::embed`].
pub const MAX_TEXTS: usize = 32;
/// How long a provider may take for them.
const TIMEOUT: Duration = Duration::from_secs(20);
/// What 32 embeddings need as JSON, each number written out to its last digit, twice.
const MAX_ANSWER: usize = 1024 * 1024;
/// Models read 256 to 512 tokens, or thousands; this is more than any piece of an article has.
const MAX_TEXT: usize = 24_000;

#[async_trait]
pub trait Embedder: Send + Sync {
    /// What makes embeddings comparable.
    fn model(&self) -> &str;

    /// One embedding for each of the texts, at most [`MAX_TEXTS`], in their order.
    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Embedding>>;
}

/// Reads `EMBEDDING_PROVIDER` (`builtin` where it is not set) and what the provider needs. The error names the variable, never
/// its value.
pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Arc<dyn Embedder>> {
    let given = trimmed(variable);
    match given("EMBEDDING_PROVIDER").as_deref().unwrap_or("builtin") {
        "builtin" => Ok(Arc::new(Builtin)),
        #[cfg(target_arch = "wasm32")]
        "supabase" => Ok(Arc::new(supabase::GteSmall)),
        #[cfg(not(target_arch = "wasm32"))]
        "supabase" => Err(Error::internal(
            "EMBEDDING_PROVIDER=supabase works in Supabase Edge Functions only",
        )),
        "openai" => Ok(Arc::new(OpenAi::read(&given, &Client::with_timeout(TIMEOUT))?)),
        _ => Err(Error::internal("EMBEDDING_PROVIDER is not openai, supabase or builtin")),
    }
}

/// [`read`], or an embedder that answers every call with what is wrong: a function that needs it for a part of its
/// work does the rest.
#[must_use]
pub fn read_or_explain(variable: &dyn Fn(&str) -> Option<String>) -> Arc<dyn Embedder> {
    read(variable).unwrap_or_else(|error| Arc::new(Broken(error)))
}

struct Broken(Error);

#[async_trait]
impl Embedder for Broken {
    fn model(&self) -> &'static str {
        "none"
    }

    async fn embed(&self, _: Vec<String>) -> Result<Vec<Embedding>> {
        Err(self.0.clone())
    }
}

/// Hashed words: asks nobody, knows no synonyms.
pub struct Builtin;

#[async_trait]
impl Embedder for Builtin {
    fn model(&self) -> &'static str {
        BUILTIN_MODEL
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Embedding>> {
        Ok(texts.iter().map(|text| kb::builtin(text)).collect())
    }
}

/// `POST <base>/embeddings` as `OpenAI` has it, and many others.
pub struct OpenAi {
    client: Client,
    url: String,
    key: Option<String>,
    model: String,
}

impl OpenAi {
    /// `EMBEDDING_MODEL` (by default `text-embedding-3-small`), `EMBEDDING_BASE_URL` (by default `OpenAI`'s) and
    /// `EMBEDDING_API_KEY`, which a server of one's own may not need.
    pub fn read(given: &dyn Fn(&str) -> Option<String>, client: &Client) -> Result<Self> {
        let base = base_url(given, "EMBEDDING_BASE_URL", "https://api.openai.com/v1")?;
        let key = key(given, "EMBEDDING_API_KEY")?;
        let name = given("EMBEDDING_MODEL").unwrap_or_else(|| "text-embedding-3-small".to_owned());
        let model = model(name, "EMBEDDING_MODEL")?;
        let client = client.clone().with_max_answer(MAX_ANSWER);
        Ok(Self { client, url: format!("{base}/embeddings"), key, model })
    }
}

#[async_trait]
impl Embedder for OpenAi {
    fn model(&self) -> &str {
        &self.model
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Embedding>> {
        let count = texts.len();
        let texts: Vec<String> = texts.iter().take(MAX_TEXTS).map(|text| cut(text)).collect();
        if texts.len() < count {
            return Err(Error::internal(format!("at most {MAX_TEXTS} texts at once")));
        }
        let body = json!({
            "model": self.model, "input": texts, "dimensions": DIMENSIONS, "encoding_format": "float",
        });
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(self.key.iter().map(|key| ("authorization", format!("Bearer {key}"))));
        let post = Post { url: self.url.clone(), headers, body: body.to_string().into() };
        let answer =
            self.client.post_patiently(post).await.map_err(|_| unavailable("does not answer"))?;
        match answer.status {
            200 => embeddings(&answer.json(), count),
            status => Err(unavailable(&format!("answered {status}"))),
        }
    }
}

/// The text without what no model reads.
fn cut(text: &str) -> String {
    let text: String = text.chars().filter(|letter| *letter != '\0').take(MAX_TEXT).collect();
    // Some refuse what is empty.
    if text.trim().is_empty() { "-".to_owned() } else { text }
}

/// What the answer has, by the index that each one names.
fn embeddings(answer: &Value, count: usize) -> Result<Vec<Embedding>> {
    let wrong = || unavailable("answered without an embedding of 384 numbers for each text");
    let data = answer["data"].as_array().filter(|data| data.len() == count).ok_or_else(wrong)?;
    let mut all = vec![None; count];
    for (place, one) in data.iter().enumerate() {
        let index =
            one["index"].as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(place);
        let slot = all.get_mut(index).ok_or_else(wrong)?;
        *slot = Some(embedding(&one["embedding"]).ok_or_else(wrong)?);
    }
    all.into_iter().collect::<Option<_>>().ok_or_else(wrong)
}

#[allow(clippy::cast_possible_truncation, reason = "that is how exact an embedding is kept")]
fn embedding(value: &Value) -> Option<Embedding> {
    let numbers: Vec<f32> =
        value.as_array()?.iter().map(|one| Some(one.as_f64()? as f32)).collect::<Option<_>>()?;
    is_usable(&numbers).then(|| numbers.try_into().ok()).flatten()
}

fn unavailable(what: &str) -> Error {
    Error::new(Code::Unavailable, format!("The embedding provider {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_with(pairs: &[(&str, &str)]) -> Result<Arc<dyn Embedder>> {
        read(&|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_a_word_the_builtin_one_is_used() {
        assert_eq!(read_with(&[]).unwrap().model(), BUILTIN_MODEL);
        assert_eq!(read_with(&[("EMBEDDING_PROVIDER", " ")]).unwrap().model(), BUILTIN_MODEL);
    }

    #[test]
    fn a_variable_that_is_wrong_is_named_and_its_value_is_not() {
        for (pairs, named) in [
            (vec![("EMBEDDING_PROVIDER", "secret")], "EMBEDDING_PROVIDER"),
            (vec![("EMBEDDING_PROVIDER", "supabase")], "EMBEDDING_PROVIDER"),
            (
                vec![("EMBEDDING_PROVIDER", "openai"), ("EMBEDDING_BASE_URL", "secret")],
                "EMBEDDING_BASE_URL",
            ),
            (
                vec![("EMBEDDING_PROVIDER", "openai"), ("EMBEDDING_API_KEY", "secret\nx")],
                "EMBEDDING_API_KEY",
            ),
        ] {
            let error = read_with(&pairs).err().unwrap();
            assert!(error.hint.contains(named) && !error.hint.contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn embeddings_are_put_in_the_order_of_their_texts() {
        let one = |first: f32| {
            let mut all = [0.5_f32; DIMENSIONS].to_vec();
            all[0] = first;
            all
        };
        let answer = json!({"data": [{"index": 1, "embedding": one(0.1)}, {"index": 0, "embedding": one(0.2)}]});
        let found = embeddings(&answer, 2).unwrap();
        assert!((found[0][0] - 0.2).abs() < 1e-6 && (found[1][0] - 0.1).abs() < 1e-6);
        for wrong in [
            json!({}),
            json!({"data": []}),
            json!({"data": [{"index": 0, "embedding": one(0.1)}, {"index": 0, "embedding": one(0.1)}]}),
            json!({"data": [{"index": 0, "embedding": one(0.1)}, {"index": 5, "embedding": one(0.1)}]}),
            json!({"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": one(0.1)}]}),
            json!({"data": [{"index": 0, "embedding": vec![0.0; DIMENSIONS]}, {"index": 1, "embedding": one(0.1)}]}),
        ] {
            assert_eq!(embeddings(&wrong, 2).unwrap_err().code, Code::Unavailable);
        }
    }
}
