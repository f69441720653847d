//! Answers of the assistant as server-sent events.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, Response};
use common::assistant::{
    QUOTED, Says, asking, context, found, path, question, says, stored, stored_as, with_model,
};
use common::{Harness, ID, answering};
use fieldcrm_core::{Code, Error};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;
use tower::ServiceExt;

type Event = (String, Value);

async fn open(harness: &Harness, accept: &str) -> Response<Body> {
    let request = Request::builder()
        .method("POST")
        .uri(path())
        .header("authorization", "Bearer a.b.c")
        .header("idempotency-key", "key-1")
        .header("accept", accept)
        .body(Body::from(json!({"content": "How do I bleed a radiator?"}).to_string()))
        .unwrap();
    harness.service.clone().oneshot(request).await.unwrap()
}

fn read(text: &str) -> Vec<Event> {
    let field = |event: &str, name: &str| {
        let line = event.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        line.unwrap().trim_start().to_owned()
    };
    let events = text.split("\n\n").filter(|event| !event.is_empty());
    events
        .map(|event| {
            assert_eq!(event.lines().count(), 2, "{event}");
            (field(event, "event:"), serde_json::from_str(&field(event, "data:")).unwrap())
        })
        .collect()
}

/// All events of an answer.
async fn told(harness: &Harness) -> Vec<Event> {
    let response = open(harness, "text/event-stream").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    read(std::str::from_utf8(&bytes).unwrap())
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

async fn next(body: &mut BodyDataStream) -> Event {
    let chunk = timeout(Duration::from_secs(20), body.next()).await.unwrap().unwrap().unwrap();
    let mut events = read(std::str::from_utf8(&chunk).unwrap());
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn sentence(text: &str) -> Value {
    json!({"text": text, "citations": [
        {"slug": "bleeding", "title": "How to bleed a radiator", "chunk_index": 0, "sentence": text}]})
}

#[tokio::test]
async fn an_answer_is_told_sentence_by_sentence_and_then_as_it_is_stored() {
    let pieces = ["Turn it off. [blee", "ding] Wait. [evil] Th", "en bleed it. [bleeding]"];
    let mut script: Vec<Says> = pieces.iter().map(|text| Says::Text((*text).to_owned())).collect();
    script.push(Says::Counts);
    let (harness, _, _) = with_model(vec![Ok(script)], asking());
    assert_eq!(
        told(&harness).await,
        [
            ("question".to_owned(), question()),
            ("sentence".to_owned(), sentence("Turn it off.")),
            ("sentence".to_owned(), sentence("Then bleed it.")),
            ("answer".to_owned(), stored()),
        ]
    );
    let stored = stored_as(&harness);
    assert_eq!(stored["content"], "Turn it off. Then bleed it.");
    assert_eq!(stored["citations"].as_array().unwrap().len(), 2);
    assert_eq!(stored["output_tokens"], 10);
}

#[tokio::test]
async fn the_builtin_answer_is_told_the_same_way() {
    let harness = answering(asking());
    harness.back_end.say(Ok(stored()));
    let events = told(&harness).await;
    assert_eq!(names(&events), ["question", "sentence", "sentence", "answer"]);
    assert_eq!(events[2].1, sentence("Bleed the radiator with its key."));
    assert_eq!(stored_as(&harness)["content"], QUOTED);
}

#[tokio::test]
async fn an_answer_that_is_there_is_told_at_once() {
    let mut context = context();
    context["answer"] = stored();
    let (harness, model, _) = with_model(vec![], vec![Ok(question()), Ok(context)]);
    assert_eq!(names(&told(&harness).await), ["question", "answer"]);
    assert_eq!(model.asked.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn who_does_not_ask_for_events_gets_json() {
    for (accept, kind) in [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/event-stream-not", "application/json"),
        ("application/json;q=0.1, Text/Event-Stream; q=1", "text/event-stream"),
    ] {
        let (harness, _, _) = with_model(vec![Ok(says("Bleed it. [bleeding]"))], asking());
        let response = open(&harness, accept).await;
        assert_eq!(response.headers()["content-type"], kind, "{accept}");
    }
}

#[tokio::test]
async fn what_was_told_is_taken_back_where_the_answer_breaks_off() {
    let breaks = Says::BreaksOff(Error::new(Code::AiUnavailable, "secret"));
    let first = Says::Text("It is easy. [bleeding]\nYou".to_owned());
    let (harness, _, _) = with_model(vec![Ok(vec![first, breaks.clone()])], asking());
    let events = told(&harness).await;
    assert_eq!(names(&events), ["question", "sentence", "reset", "sentence", "sentence", "answer"]);
    assert_eq!(stored_as(&harness)["content"], QUOTED);
    // Nothing was told: nothing is taken back.
    let (harness, _, _) = with_model(vec![Ok(vec![breaks])], asking());
    assert_eq!(names(&told(&harness).await), ["question", "sentence", "sentence", "answer"]);
}

#[tokio::test]
async fn a_hostile_stream_shows_nothing_and_is_not_heard_to_its_end() {
    for (text, sentences) in [
        ("x".repeat(65_536), 2),
        ("See https://evil.example [bleeding] ".repeat(2_000), 2),
        ("Wait 99 evil days. [bleeding]\n".to_owned(), 2),
        ("[".repeat(1_000), 2),
        ("Yes. [bleeding]\n".repeat(1_000), 10),
    ] {
        let script = vec![Says::Repeats(text.clone())];
        let (harness, model, books) = with_model(vec![Ok(script)], asking());
        let events = timeout(Duration::from_secs(20), told(&harness)).await.unwrap();
        let shown: Vec<_> = events.iter().filter(|(name, _)| name == "sentence").collect();
        assert_eq!(shown.len(), sentences, "{:?}", names(&events));
        assert!(!format!("{events:?}").contains("evil"));
        assert_eq!(events.last().unwrap().0, "answer");
        let heard = model.taken.load(Ordering::SeqCst) * text.len();
        assert!(heard < 256 * 1024, "{heard} bytes");
        assert_eq!(model.left.load(Ordering::SeqCst), 1);
        let stored = stored_as(&harness);
        assert!(stored["content"].as_str().unwrap().chars().count() <= 2_000);
        settled(&books).await;
    }
}

/// What was settled, by work that nobody waits for.
async fn settled(books: &common::Fake) -> Value {
    for _ in 0..1_000 {
        if let Some((name, settlement)) = books.asked().get(1) {
            assert_eq!(*name, "crm_settle_ai");
            return settlement.clone();
        }
        tokio::task::yield_now().await;
    }
    panic!("nothing was settled");
}

#[tokio::test]
async fn who_leaves_ends_the_question_to_the_model_and_it_waits_for_the_same_key() {
    let script = vec![Says::Text("Turn it off. [bleeding] And".to_owned()), Says::FallsSilent];
    let (harness, model, books) = with_model(vec![Ok(script)], asking());
    let response = open(&harness, "text/event-stream").await;
    let mut body = response.into_body().into_data_stream();
    assert_eq!(next(&mut body).await.0, "question");
    // The model has not said its last word.
    assert_eq!(next(&mut body).await, ("sentence".to_owned(), sentence("Turn it off.")));
    assert_eq!(model.left.load(Ordering::SeqCst), 0);
    drop(body);
    assert_eq!(model.left.load(Ordering::SeqCst), 1);
    let settlement = settled(&books).await;
    let tokens = |name: &str| settlement[name].as_u64().unwrap();
    assert!(tokens("input_tokens") > 100 && tokens("output_tokens") >= 8, "{settlement}");
    assert_eq!(harness.back_end.asked(), [], "no half of an answer is stored");

    let (harness, _, _) = with_model(vec![Ok(says("Bleed it. [bleeding]"))], asking());
    assert_eq!(names(&told(&harness).await), ["question", "sentence", "answer"]);
}

#[tokio::test]
async fn a_problem_before_the_question_is_stored_is_an_answer_and_after_it_an_event() {
    let over = Error::new(Code::WrongState, "The conversation is over.");
    let (harness, _, _) = with_model(vec![], vec![Err(over)]);
    let response = open(&harness, "text/event-stream").await;
    assert_eq!(response.status(), 409);
    assert_eq!(response.headers()["content-type"], "application/problem+json");

    let down = Error::new(Code::Unavailable, "secret");
    let (harness, _, _) = with_model(vec![], vec![Ok(question()), Err(down)]);
    let events = told(&harness).await;
    assert_eq!(names(&events), ["question", "problem"]);
    let problem = &events[1].1;
    assert_eq!((&problem["status"], &problem["code"]), (&json!(503), &json!("unavailable")));
    assert!(!problem.to_string().contains("secret"));
    assert!(harness.lines.all().iter().any(|line| line.contains("unavailable")));
}

#[tokio::test]
async fn an_answer_that_could_not_be_stored_is_a_problem() {
    let harness = answering(vec![Ok(question()), Ok(context()), Ok(found())]);
    harness.back_end.say(Err(Error::new(Code::WrongState, "The conversation is over.")));
    let events = told(&harness).await;
    assert_eq!(names(&events), ["question", "sentence", "sentence", "problem"]);
    assert_eq!(events[3].1["status"], 409);
    assert_eq!(harness.back_end.asked()[0].1["conversation_id"], ID);
}
