//! `/embed-kb-articles`: makes what changed about the knowledge base findable.

use axum::extract::State;
use axum::{Extension, Json};
use fieldcrm_core::kb::{Chunk, chunks};
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::ai::embed::{Embedder, MAX_TEXTS};
use fieldcrm_edge::{Caller, JsonObject, Ports, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::Settings;
use crate::arguments::batch_limit;
use crate::work::Budget;

/// Articles that are claimed together.
const CLAIM: u64 = 20;
/// Articles in one call.
const DEFAULT_LIMIT: u64 = 200;
const MAX_LIMIT: u64 = 1_000;

#[derive(Deserialize)]
struct Article {
    id: Uuid,
    version: i64,
    title: String,
    body_markdown: String,
}

/// What became of the articles of a call.
#[derive(Debug, Default, Serialize)]
struct Totals {
    embedded: u64,
    chunks: u64,
    /// Somebody changed them meanwhile: the next call takes them again.
    outdated: u64,
    failed: u64,
    /// Not published any more: their pieces are gone.
    cleared: u64,
}

/// `POST /embed-kb-articles`: an article that cannot be embedded keeps no other waiting; if none could be, the answer is why.
pub async fn embed_kb_articles(
    State(ports): State<Ports>,
    Extension(settings): Extension<Settings>,
    caller: Caller,
    body: Option<JsonObject>,
) -> Result<Json<Value>, Problem> {
    let limit = batch_limit(body, MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let budget = Budget::start(settings.budget);
    let worker = Worker { ports: &ports, caller: &caller, embedder: settings.embedder.as_ref() };
    let (mut totals, mut taken, mut after, mut error) = (Totals::default(), 0, None, None);
    while taken < limit {
        let asked = CLAIM.min(limit - taken);
        let (articles, cleared) = worker.claim(asked, after).await?;
        totals.cleared += cleared;
        after = articles.last().map(|article| article.id);
        for article in &articles {
            if budget.is_over() {
                break;
            }
            taken += 1;
            match worker.embed(article).await {
                Ok(Some(count)) => {
                    totals.embedded += 1;
                    totals.chunks += count;
                }
                Ok(None) => totals.outdated += 1,
                Err(failure) => {
                    totals.failed += 1;
                    error = Some(failure);
                }
            }
        }
        if budget.is_over() || (articles.len() as u64) < asked && cleared < asked {
            break;
        }
    }
    match error {
        Some(error) if totals.embedded == 0 => Err(error.into()),
        _ => Ok(Json(json!(totals))),
    }
}

struct Worker<'a> {
    ports: &'a Ports,
    caller: &'a Caller,
    embedder: &'a dyn Embedder,
}

impl Worker<'_> {
    async fn call(&self, function: &'static str, arguments: Value) -> Result<Value> {
        let Value::Object(arguments) = arguments else { return Ok(Value::Null) };
        self.ports.database.rpc(self.caller, function, arguments).await
    }

    async fn claim(&self, batch_limit: u64, after: Option<Uuid>) -> Result<(Vec<Article>, u64)> {
        let mut arguments = Map::from_iter([
            ("model".to_owned(), self.embedder.model().into()),
            ("batch_limit".to_owned(), batch_limit.into()),
        ]);
        arguments.extend(after.map(|after| ("after".to_owned(), after.to_string().into())));
        let mut claim = self.call("crm_claim_kb_articles", arguments.into()).await?;
        let articles = serde_json::from_value(claim["articles"].take())
            .map_err(|_| Error::internal("a claim without articles"))?;
        Ok((articles, claim["cleared"].as_u64().unwrap_or_default()))
    }

    /// How many pieces were stored; none if the article is another by now.
    async fn embed(&self, article: &Article) -> Result<Option<u64>> {
        let mut pieces = chunks(&article.body_markdown);
        if pieces.is_empty() {
            // Its title finds it.
            pieces.push(Chunk { index: 0, heading: None, content: article.title.clone() });
        }
        let mut rows = Vec::with_capacity(pieces.len());
        for batch in pieces.chunks(MAX_TEXTS) {
            let texts = batch.iter().map(|piece| piece.text(&article.title)).collect();
            let embeddings = self.embedder.embed(texts).await?;
            rows.extend(batch.iter().zip(embeddings).map(|(piece, embedding)| {
                json!({
                    "index": piece.index, "heading": piece.heading, "content": piece.content,
                    "embedding": &embedding[..],
                })
            }));
        }
        let stored = json!({
            "article_id": article.id, "version": article.version, "model": self.embedder.model(), "chunks": rows,
        });
        let answer = self.call("crm_store_kb_chunks", stored).await?;
        Ok((answer["stored"] == true).then_some(pieces.len() as u64))
    }
}
