//! `/portal/kb`: help, for who is signed in and for who is not. The latter name the company with `org`, the slug of its portal.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::routing::get;
use axum::{Extension, Json, Router};
use fieldcrm_core::Result;
use fieldcrm_edge::ai::embed::Embedder;
use fieldcrm_edge::query::{self, Refusal};
use fieldcrm_edge::{Caller, Ports, Problem, log};
use serde_json::{Map, Value, json};

/// What these routes need beside the ports.
#[derive(Clone)]
pub struct Settings {
    pub embedder: Arc<dyn Embedder>,
}

pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
        .route("/portal/kb/articles", get(list_articles))
        .route("/portal/kb/articles/{slug}", get(show_article))
        .route("/portal/kb/search", get(search))
}

/// `GET /portal/kb/articles`
async fn list_articles(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let arguments = read(query.as_deref(), &["org", "category", "limit", "cursor"])?;
    Ok(Json(ports.database.rpc(&caller, "kb_list_articles", arguments).await?))
}

/// `GET /portal/kb/articles/{slug}`
async fn show_article(
    State(ports): State<Ports>,
    caller: Caller,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let mut arguments = read(query.as_deref(), &["org"])?;
    arguments.insert("article_slug".to_owned(), slug.into());
    Ok(Json(ports.database.rpc(&caller, "kb_get_article", arguments).await?))
}

/// `GET /portal/kb/search`
async fn search(
    State(ports): State<Ports>,
    Extension(settings): Extension<Settings>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let arguments = read(query.as_deref(), &["q", "org", "category", "limit"])?;
    Ok(Json(find(&ports, &settings, &caller, arguments).await?))
}

/// `kb_search` with the question's embedding; where it cannot be embedded, its words alone find.
pub async fn find(
    ports: &Ports,
    settings: &Settings,
    caller: &Caller,
    mut arguments: Map<String, Value>,
) -> Result<Value> {
    let question = arguments.get("query").and_then(Value::as_str).unwrap_or_default().trim();
    // What the RPC refuses is not worth an embedding.
    if !question.is_empty() && question.chars().count() <= fieldcrm_core::kb::MAX_QUERY {
        match settings.embedder.embed(vec![question.to_owned()]).await {
            Ok(embeddings) => {
                if let Some(embedding) = embeddings.first() {
                    arguments.insert("embedding".to_owned(), json!(&embedding[..]));
                    arguments.insert("model".to_owned(), settings.embedder.model().into());
                }
            }
            Err(error) => {
                let facts = json!({
                    "slug": "portal", "request_id": caller.request_id, "cause": error.hint,
                });
                log::event(ports.log.as_ref(), "warn", "embedding", facts);
            }
        }
    }
    arguments.entry("query").or_insert_with(|| "".into());
    ports.database.rpc(caller, "kb_search", arguments).await
}

/// The parameters that a route has, under the names of the RPC's arguments.
fn read(query: Option<&str>, known: &[&str]) -> Result<Map<String, Value>> {
    let mut arguments = Map::new();
    query::read(query.unwrap_or_default(), |key, value| {
        if !known.contains(&key) {
            return Err(query::unknown());
        }
        let (name, value) = match key {
            "q" => ("query", value.into()),
            "org" => ("slug", value.into()),
            "limit" => ("page_size", query::limit(value)?.into()),
            other => (other, Value::from(value)),
        };
        if value == "" {
            return Err(Refusal("required", "must not be empty".to_owned()));
        }
        arguments.insert(name.to_owned(), value);
        Ok(())
    })?;
    Ok(arguments)
}
