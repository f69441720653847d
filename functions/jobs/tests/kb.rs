//! What becomes of articles, with a database that does as it is told and a server that speaks like `OpenAI`.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::sync::{Arc, Mutex};

use common::database::{Harness, harness_with};
use common::{Arrived, Does, FakeProvider, PATIENCE, answers, down};
use fieldcrm_core::kb::{BUILTIN_MODEL, DIMENSIONS};
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::ai::embed::{Builtin, Embedder, OpenAi};
use fieldcrm_edge::http::Client;
use fieldcrm_jobs::BUDGET;
use serde_json::{Value, json};
use uuid::Uuid;

fn article(number: u128, body: &str) -> Value {
    json!({"id": Uuid::from_u128(number), "version": 3, "title": "Boilers", "body_markdown": body})
}

/// Hands out these articles by their ids, as the RPC does, and takes what comes.
fn shelf(
    articles: Vec<Value>,
    stored: bool,
) -> impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync {
    let cleared = Mutex::new(2);
    move |name, arguments| {
        if name == "crm_store_kb_chunks" {
            return Ok(json!({ "stored": stored }));
        }
        let after = arguments["after"].as_str().unwrap_or_default();
        let limit = usize::try_from(arguments["batch_limit"].as_u64().unwrap()).unwrap();
        let rest: Vec<_> = articles
            .iter()
            .filter(|one| one["id"].as_str().unwrap() > after)
            .take(limit)
            .cloned()
            .collect();
        Ok(json!({"articles": rest, "cleared": std::mem::take(&mut *cleared.lock().unwrap())}))
    }
}

fn builtin(
    answer: impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync + 'static,
) -> Harness {
    harness_with(Arc::new(Builtin), BUDGET, answer)
}

fn openai(url: &str) -> Arc<dyn Embedder> {
    let url = url.to_owned();
    let given = move |name: &str| match name {
        "EMBEDDING_BASE_URL" => Some(format!("{url}/v1/")),
        "EMBEDDING_API_KEY" => Some("sk-secret".to_owned()),
        "EMBEDDING_MODEL" => Some("small".to_owned()),
        _ => None,
    };
    Arc::new(OpenAi::read(&given, &Client::with_timeout(PATIENCE)).unwrap())
}

/// As many embeddings as there are, each of the numbers that `OpenAI` would write.
fn embeddings(count: usize) -> Value {
    let one =
        |index| json!({"index": index, "embedding": vec![0.051_031_036_307_982_884; DIMENSIONS]});
    json!({"data": (0..count).map(one).collect::<Vec<_>>()})
}

#[tokio::test]
async fn articles_are_cut_embedded_and_stored_with_their_version_and_model() {
    let harness = builtin(shelf(
        vec![article(1, "# Heat\n\nTurn it on.\n\n# Water\n\nOpen it."), article(2, "# Only this")],
        true,
    ));
    let (status, answer) = harness.post("/embed-kb-articles", "", &[]).await;
    assert_eq!(
        (status, answer),
        (200, json!({"embedded": 2, "chunks": 3, "outdated": 0, "failed": 0, "cleared": 2}))
    );
    let asked = harness.asked();
    let [(claim, first), (store, one), (_, two)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(
        (*claim, first),
        ("crm_claim_kb_articles", &json!({"model": BUILTIN_MODEL, "batch_limit": 20}))
    );
    assert_eq!(
        (*store, &one["version"], &one["model"]),
        ("crm_store_kb_chunks", &json!(3), &json!(BUILTIN_MODEL))
    );
    let pieces: Vec<_> = one["chunks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["heading"], &one["content"]))
        .collect();
    assert_eq!(
        pieces,
        [(&json!("Heat"), &json!("Turn it on.")), (&json!("Water"), &json!("Open it."))]
    );
    assert_eq!(one["chunks"][0]["embedding"].as_array().unwrap().len(), DIMENSIONS);
    assert_eq!(
        two["chunks"][0]["content"], "Boilers",
        "where there is no text, the title finds it"
    );
}

#[tokio::test]
async fn many_articles_are_claimed_on_from_the_last_one() {
    let harness = builtin(shelf((1..=45).map(|number| article(number, "Text.")).collect(), true));
    let (_, answer) = harness.post("/embed-kb-articles", r#"{"batch_limit": 43}"#, &[]).await;
    assert_eq!(answer["embedded"], 43);
    let claims: Vec<_> =
        harness.asked().into_iter().filter(|(name, _)| *name == "crm_claim_kb_articles").collect();
    let asked: Vec<_> =
        claims.iter().map(|(_, claim)| claim["batch_limit"].as_u64().unwrap()).collect();
    assert_eq!(asked, [20, 20, 3]);
    assert_eq!(claims[1].1["after"], Uuid::from_u128(20).to_string());
}

#[tokio::test]
async fn what_somebody_changed_meanwhile_is_left_to_the_next_call() {
    let harness = builtin(shelf(vec![article(1, "Text.")], false));
    let (status, answer) = harness.post("/embed-kb-articles", "", &[]).await;
    assert_eq!((status, &answer["outdated"], &answer["embedded"]), (200, &json!(1), &json!(0)));
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let harness = builtin(|_, _| Err(Error::new(Code::Forbidden, "no")));
    assert_eq!(harness.post("/embed-kb-articles", "", &[]).await.0, 403);
}

#[tokio::test]
async fn a_server_like_openai_gets_texts_with_their_title_and_the_dimensions() {
    let server = FakeProvider::start(vec![answers(200, &embeddings(2))]).await;
    let harness = harness_with(
        openai(&server.url),
        BUDGET,
        shelf(vec![article(1, "# Heat\n\nOn.\n\n# Water\n\nOff.")], true),
    );
    let (status, answer) = harness.post("/embed-kb-articles", "", &[]).await;
    assert_eq!((status, &answer["chunks"]), (200, &json!(2)), "{answer}");
    let arrived = server.arrived();
    let [Arrived { path, headers, .. }] = &arrived[..] else { panic!("one request") };
    assert_eq!(
        (path.as_str(), headers["authorization"].as_str()),
        ("/v1/embeddings", "Bearer sk-secret")
    );
    assert_eq!(
        arrived[0].json(),
        json!({"model": "small", "dimensions": 384, "encoding_format": "float",
            "input": ["Boilers\nHeat\nOn.", "Boilers\nWater\nOff."]})
    );
    assert_eq!(harness.asked()[1].1["model"], "small");
}

#[tokio::test]
async fn a_long_article_is_embedded_32_pieces_at_a_time() {
    let body: String = (0..70)
        .map(|number| format!("# Part {number}\n\nText {number}."))
        .collect::<Vec<_>>()
        .join("\n\n");
    let script = [32, 32, 6].map(|count| answers(200, &embeddings(count))).to_vec();
    let server = FakeProvider::start(script).await;
    let harness = harness_with(openai(&server.url), BUDGET, shelf(vec![article(1, &body)], true));
    let (_, answer) = harness.post("/embed-kb-articles", "", &[]).await;
    assert_eq!((&answer["chunks"], server.arrived().len()), (&json!(70), 3), "{answer}");
}

#[tokio::test]
async fn one_article_that_fails_keeps_no_other_waiting() {
    let server =
        FakeProvider::start(vec![answers(400, &json!({})), answers(200, &embeddings(1))]).await;
    let articles = vec![article(1, "Text."), article(2, "Text.")];
    let harness = harness_with(openai(&server.url), BUDGET, shelf(articles, true));
    let (status, answer) = harness.post("/embed-kb-articles", "", &[]).await;
    assert_eq!((status, &answer["embedded"], &answer["failed"]), (200, &json!(1), &json!(1)));
}

#[tokio::test]
async fn a_provider_that_is_busy_is_asked_again() {
    let busy = Does::Answers(429, vec![("retry-after", "0".to_owned())], String::new());
    let server = FakeProvider::start(vec![busy, answers(200, &embeddings(1))]).await;
    let harness = harness_with(openai(&server.url), BUDGET, shelf(vec![article(1, "Text.")], true));
    let (_, answer) = harness.post("/embed-kb-articles", "", &[]).await;
    assert_eq!((&answer["embedded"], server.arrived().len()), (&json!(1), 2), "{answer}");
}

#[tokio::test]
async fn where_nothing_could_be_embedded_the_answer_is_503_without_secrets() {
    for does in [
        answers(500, &json!({"error": "sk-secret"})),
        answers(302, &json!({})),
        answers(200, &json!({"data": []})),
        answers(200, &json!({"data": [{"index": 0, "embedding": [1, 2, 3]}]})),
        Does::Waits,
        Does::Drops,
        Does::BreaksOff(200),
    ] {
        let server = FakeProvider::start(vec![does.clone()]).await;
        let harness =
            harness_with(openai(&server.url), BUDGET, shelf(vec![article(1, "Text.")], true));
        let (status, answer) = harness.post("/embed-kb-articles", "", &[]).await;
        assert_eq!((status, &answer["code"]), (503, &json!("unavailable")), "{does:?}");
        let said = format!("{answer} {}", harness.log.lines().join("\n"));
        assert!(!said.contains("secret"), "{said}");
        assert_eq!(harness.names(), ["crm_claim_kb_articles"], "nothing is stored");
    }
    let harness =
        harness_with(openai(&down().await), BUDGET, shelf(vec![article(1, "Text.")], true));
    assert_eq!(harness.post("/embed-kb-articles", "", &[]).await.0, 503);
}
