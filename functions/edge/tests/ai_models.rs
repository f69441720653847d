//! Models within the budgets of orgs: a database that keeps accounts, and servers that speak like providers.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod fake_model;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fake_model::{
    ALL, Does, End, FakeModel, LIMITS, MODEL, Says, Step, Wire, ends, prompt, prompt_for_json,
    says, says_json, word,
};
use fieldcrm_core::ai_usage::{Feature, Price};
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::ai::chat::{Chat, Checked, Delta, Limits, Prompt, Turn};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::database::{BackEnd, Page, Select};
use fieldcrm_edge::{Caller, Database, Log};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;
use uuid::Uuid;

const ORG: Uuid = Uuid::from_u128(1);
const ID: Uuid = Uuid::from_u128(2);
const PRICE: Price = Price { input: 1_000_000, output: 2_000_000 };

/// An org's account of what models cost.
struct Ledger {
    model: FakeModel,
    /// One after the other, the last one for ever.
    reserves: Vec<Result<Value>>,
    settles: Result<Value>,
    /// Each call, and how often the model had been asked by then.
    calls: Mutex<Vec<(&'static str, Value, usize)>>,
    settled: Notify,
}

#[async_trait]
impl Database for Ledger {
    async fn rpc(
        &self,
        caller: &Caller,
        name: &'static str,
        args: Map<String, Value>,
    ) -> Result<Value> {
        assert_eq!(caller.authorization.as_deref(), Some("Bearer service-key"));
        assert_eq!(caller.request_id, "request-1");
        let mut calls = self.calls.lock().unwrap();
        let before = calls.iter().filter(|(called, ..)| *called == name).count();
        calls.push((name, Value::Object(args), self.model.arrived().len()));
        if name == "crm_reserve_ai" {
            return self.reserves[before.min(self.reserves.len() - 1)].clone();
        }
        self.settled.notify_one();
        self.settles.clone()
    }

    async fn select(&self, _: &Caller, _: Select) -> Result<Page> {
        Err(Error::internal("nobody selects"))
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

struct Org {
    ledger: Arc<Ledger>,
    lines: Arc<Lines>,
    models: Models,
}

fn allowed() -> Value {
    json!({"id": ID, "is_enabled": true, "redact": true})
}

async fn org(wire: Wire, script: Vec<Does>, reserves: Result<Value>) -> Org {
    settling(wire, script, vec![reserves], Ok(json!({"id": ID}))).await
}

async fn settling(
    wire: Wire,
    script: Vec<Does>,
    reserves: Vec<Result<Value>>,
    settles: Result<Value>,
) -> Org {
    let model = FakeModel::start(wire, script).await;
    let chat = model.chat(LIMITS);
    at_books(model, chat, reserves, settles)
}

fn at_books(
    model: FakeModel,
    chat: Arc<dyn Chat>,
    reserves: Vec<Result<Value>>,
    settles: Result<Value>,
) -> Org {
    let (calls, settled) = (Mutex::default(), Notify::new());
    let ledger = Arc::new(Ledger { model, reserves, settles, calls, settled });
    let lines = Arc::new(Lines::default());
    let back_end = BackEnd::new(Some("service-key".to_owned()), ledger.clone());
    let models = Models::new(chat, back_end, PRICE, lines.clone());
    Org { ledger, lines, models }
}

fn caller() -> Caller {
    Caller {
        authorization: Some("Bearer a.b.c".to_owned()),
        request_id: "request-1".to_owned(),
        forwarded_for: None,
        connecting_ip: None,
        user_agent: None,
    }
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Plan {
    name: String,
    count: u32,
}

impl Org {
    async fn plan(&self) -> Result<Option<Checked<Plan>>> {
        self.ask(prompt_for_json()).await
    }

    async fn ask(&self, prompt: Prompt) -> Result<Option<Checked<Plan>>> {
        let check = |_: &Plan| Vec::new();
        self.models.complete(&caller(), ORG, Feature::Draft, prompt, check).await
    }

    fn calls(&self) -> Vec<(&'static str, Value, usize)> {
        self.ledger.calls.lock().unwrap().clone()
    }

    fn settlements(&self) -> Vec<Value> {
        let settled = self.calls().into_iter().filter(|(name, ..)| *name == "crm_settle_ai");
        settled.map(|(_, settlement, _)| settlement).collect()
    }

    /// What was settled, once.
    fn settlement(&self) -> Value {
        let settled = self.settlements();
        assert_eq!(settled.len(), 1, "{settled:?}");
        settled[0].clone()
    }

    /// The calls by name, and how often the model had been asked by then.
    fn steps(&self) -> Vec<(&'static str, usize)> {
        self.calls().into_iter().map(|(name, _, asked)| (name, asked)).collect()
    }
}

/// What is settled after 12 tokens asked and 7 said, or nothing.
fn rounds(count: i64) -> Value {
    json!({"org_id": ORG, "id": ID, "input_tokens": 12 * count, "output_tokens": 7 * count,
        "cost_micros": 26 * count})
}

fn good() -> Does {
    says_json(json!({"name": "Zoë", "count": 2}))
}

#[tokio::test]
async fn a_question_is_charged_before_it_is_asked_and_settled_after() {
    for wire in ALL {
        let org = org(wire, vec![good()], Ok(allowed())).await;
        let answer = org.plan().await.unwrap().unwrap();
        assert_eq!(answer.value, Plan { name: "Zoë".to_owned(), count: 2 });
        let asked = prompt_for_json();
        let schema = asked.schema.unwrap().1.to_string().len();
        let input = (asked.system.len() + asked.turns[0].text.len() + schema).div_ceil(3) as u64;
        let reservation = json!({"org_id": ORG, "feature": "draft", "provider": answer.provider,
            "model": MODEL, "estimated_micros": PRICE.of(input, 100)});
        assert_eq!(
            org.calls(),
            [("crm_reserve_ai", reservation, 0), ("crm_settle_ai", rounds(1), 1)]
        );
    }
}

#[tokio::test]
async fn what_is_no_use_is_paid_for_too() {
    let repaired = vec![says("{"), good()];
    let never = vec![says_json(json!({"name": "Zoë", "org_id": "another"}))];
    let down = vec![Does::Answers(400, None, json!({}))];
    for (script, code, settled) in [
        (repaired, None, vec![rounds(1); 2]),
        (never, Some("ai_output_invalid"), vec![rounds(1); 3]),
        (vec![ends(End::Refused)], Some("ai_refused"), vec![rounds(1)]),
        (vec![says("{"), ends(End::CutOff)], Some("ai_output_invalid"), vec![rounds(1); 2]),
        (down, Some("ai_unavailable"), vec![rounds(0)]),
    ] {
        let org = org(Wire::Anthropic, script, Ok(allowed())).await;
        let failed = org.plan().await.err();
        assert_eq!(failed.map(|error| error.code.as_str()), code);
        assert_eq!(org.settlements(), settled);
    }
}

#[tokio::test]
async fn a_question_that_was_perhaps_answered_stays_charged() {
    let open: [Does; 5] = [
        Does::Waits,
        Does::Flows(vec![Step::Sends("{\"id\":".into()), Step::FallsSilent]),
        Does::Flows(vec![Step::Sends("{\"id\":".into()), Step::BreaksOff]),
        Does::Answers(504, Some("1000"), json!({})),
        Does::Flows(vec![Step::Repeats("x".repeat(65_536).into())]),
    ];
    for does in open {
        let shown = format!("{does:?}").chars().take(60).collect::<String>();
        let model = FakeModel::start(Wire::OpenAi, vec![does]).await;
        let chat = model.chat(Limits { timeout: Duration::from_millis(300), ..LIMITS });
        let org = at_books(model, chat, vec![Ok(allowed())], Ok(json!({"id": ID})));
        assert!(org.plan().await.is_err(), "{shown}");
        assert_eq!(org.steps(), [("crm_reserve_ai", 0)], "{shown}: the estimate stays");
    }
    let model = FakeModel::start(Wire::OpenAi, vec![Does::Waits]).await;
    let chat = model.chat(Limits { timeout: Duration::from_millis(300), ..LIMITS });
    let org = at_books(model, chat, vec![Ok(allowed())], Ok(json!({"id": ID})));
    assert!(org.models.stream(&caller(), ORG, Feature::Assistant, prompt()).await.is_err());
    assert_eq!(org.steps(), [("crm_reserve_ai", 0)]);
}

#[tokio::test]
async fn what_arrived_before_the_provider_went_away_stays_charged() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        drop(listener);
        connection.read_u8().await.unwrap();
    });
    let model = FakeModel::start(Wire::OpenAi, vec![good()]).await;
    let chat = fake_model::at(Wire::OpenAi, &url, LIMITS);
    let org = at_books(model, chat, vec![Ok(allowed())], Ok(json!({"id": ID})));
    assert!(org.plan().await.is_err());
    assert_eq!(org.steps(), [("crm_reserve_ai", 0)], "the second try finds nobody");
}

#[tokio::test]
async fn what_was_clearly_refused_costs_nothing() {
    for status in [400, 401, 404, 429, 503] {
        let refusal = Does::Answers(status, Some("1000"), json!({}));
        let org = org(Wire::OpenAi, vec![refusal], Ok(allowed())).await;
        assert!(org.plan().await.is_err());
        assert_eq!(org.settlement(), rounds(0), "{status}");
    }
    let model = FakeModel::start(Wire::OpenAi, vec![good()]).await;
    let limits = Limits { timeout: Duration::from_millis(300), ..LIMITS };
    let nobody = fake_model::at(Wire::OpenAi, "http://127.0.0.1:9", limits);
    let org = at_books(model, nobody, vec![Ok(allowed())], Ok(json!({"id": ID})));
    assert!(org.plan().await.is_err());
    assert_eq!(org.settlement(), rounds(0), "nobody was there");
}

#[tokio::test]
async fn each_repair_is_charged_before_it_is_asked() {
    let org = org(Wire::OpenAi, vec![says("{"), good()], Ok(allowed())).await;
    assert!(org.plan().await.unwrap().is_some());
    assert_eq!(
        org.steps(),
        [("crm_reserve_ai", 0), ("crm_settle_ai", 1), ("crm_reserve_ai", 1), ("crm_settle_ai", 2)]
    );
    let calls = org.calls();
    let estimate = |at: usize| calls[at].1["estimated_micros"].as_i64().unwrap();
    assert!(estimate(2) > estimate(0), "what is wrong is asked as well");
}

#[tokio::test]
async fn a_repair_that_there_is_no_money_for_is_not_asked() {
    let spent = Err(Error::new(Code::AiBudgetSpent, "Wait for the next month."));
    let reserves = vec![Ok(allowed()), spent];
    let settles = Ok(json!({"id": ID}));
    let org = settling(Wire::OpenAi, vec![says("{"), good()], reserves, settles).await;
    assert_eq!(org.plan().await.unwrap_err().code, Code::AiBudgetSpent);
    assert_eq!(org.ledger.model.arrived().len(), 1);
    assert_eq!(org.settlement(), rounds(1), "what was asked stays charged");
}

#[tokio::test]
async fn without_money_nobody_is_asked() {
    let spent = Err(Error::new(Code::AiBudgetSpent, "Wait for the next month."));
    let org = org(Wire::OpenAi, vec![good()], spent).await;
    assert_eq!(org.plan().await.unwrap_err().code.status(), 429);
    let streamed = org.models.stream(&caller(), ORG, Feature::Assistant, prompt()).await;
    assert_eq!(streamed.err().unwrap().code, Code::AiBudgetSpent);
    assert!(org.ledger.model.arrived().is_empty());
    assert!(org.calls().iter().all(|(name, ..)| *name == "crm_reserve_ai"));
}

#[tokio::test]
async fn an_org_that_wants_no_model_has_none() {
    let unwanted = Ok(json!({"id": null, "is_enabled": false, "redact": true}));
    let org = org(Wire::OpenAi, vec![good()], unwanted).await;
    assert!(org.plan().await.unwrap().is_none());
    let streamed = org.models.stream(&caller(), ORG, Feature::Assistant, prompt()).await;
    assert!(streamed.unwrap().is_none());
    assert!(org.ledger.model.arrived().is_empty());
    let builtin = Models::builtin();
    assert!(builtin.is_builtin() && builtin.name().is_none());
    assert!(builtin.stream(&caller(), ORG, Feature::Assistant, prompt()).await.unwrap().is_none());
}

#[tokio::test]
async fn what_tells_people_apart_is_told_where_the_org_says_so() {
    let told = format!("Call 415-555-2671 about {ID}");
    for (redacts, expected) in [(true, format!("Call [number] about {ID}")), (false, told.clone())]
    {
        let reserved = Ok(json!({"id": ID, "is_enabled": true, "redact": redacts}));
        let org = org(Wire::OpenAi, vec![good()], reserved).await;
        let turns =
            vec![Turn::user(told.clone()), Turn::assistant("ada@example.com"), Turn::user("Go")];
        org.ask(Prompt { turns, ..prompt_for_json() }).await.unwrap();
        let messages = org.ledger.model.arrived()[0]["messages"].clone();
        assert_eq!(messages[1]["content"], expected);
        assert_eq!(messages[2]["content"] == "[email]", redacts);
    }
}

#[tokio::test]
async fn a_stream_is_settled_when_it_ends_however_it_ends() {
    for wire in ALL {
        for (end, code) in [(End::Said, None), (End::Refused, Some(Code::AiRefused))] {
            let speech = Does::Says(Says { text: "All is well.", json: None, end });
            let org = org(wire, vec![speech], Ok(allowed())).await;
            let deltas = org.models.stream(&caller(), ORG, Feature::Assistant, prompt()).await;
            let heard: Vec<_> = deltas.unwrap().unwrap().collect().await;
            let failed = heard.into_iter().find_map(Result::err);
            assert_eq!(failed.map(|failed| failed.error.code), code, "{wire:?}");
            assert_eq!(org.settlement(), rounds(1), "{wire:?}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_never_began_is_settled() {
    let org = org(Wire::OpenAi, vec![Does::Answers(400, None, json!({}))], Ok(allowed())).await;
    let deltas = org.models.stream(&caller(), ORG, Feature::Assistant, prompt()).await;
    assert_eq!(deltas.err().unwrap().code, Code::AiUnavailable);
    assert_eq!(org.settlement(), rounds(0));
}

#[tokio::test]
async fn who_lets_go_of_a_stream_pays_for_what_was_said() {
    let said = "A word that has twenty-two tokens at least, at three bytes each.";
    for wire in ALL {
        for breaks in [false, true] {
            let mut steps = vec![Step::Sends(word(wire, said).into())];
            if !breaks {
                steps.push(Step::FallsSilent);
            }
            let org = org(wire, vec![Does::Flows(steps)], Ok(allowed())).await;
            let deltas = org.models.stream(&caller(), ORG, Feature::Assistant, prompt()).await;
            let mut deltas = deltas.unwrap().unwrap();
            assert_eq!(deltas.next().await.unwrap().unwrap(), Delta::Text(said.to_owned()));
            if breaks {
                assert!(deltas.next().await.unwrap().is_err());
                assert!(deltas.next().await.is_none());
            }
            drop(deltas);
            timeout(Duration::from_secs(20), org.ledger.settled.notified()).await.unwrap();
            let settlement = org.settlement();
            let tokens = [&settlement["input_tokens"], &settlement["output_tokens"]];
            assert_eq!(tokens, [13, 22], "{wire:?}: nobody has counted them");
        }
    }
}

#[tokio::test]
async fn an_answer_is_given_though_nobody_could_settle_it() {
    let down = Err(Error::new(Code::Unavailable, "secret"));
    let org = settling(Wire::OpenAi, vec![good()], vec![Ok(allowed())], down).await;
    assert!(org.plan().await.unwrap().is_some());
    let lines = org.lines.0.lock().unwrap().clone();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("ai_not_settled") && !lines[0].contains("secret"), "{}", lines[0]);
}

#[tokio::test]
async fn without_a_service_key_nobody_is_asked() {
    let org = org(Wire::OpenAi, vec![good()], Ok(allowed())).await;
    let back_end = BackEnd::new(None, org.ledger.clone());
    let chat = org.ledger.model.chat(LIMITS);
    let models = Models::new(chat, back_end, PRICE, org.lines.clone());
    let deltas = models.stream(&caller(), ORG, Feature::Assistant, prompt()).await;
    assert_eq!(deltas.err().unwrap().code, Code::Unavailable);
    assert!(org.ledger.model.arrived().is_empty() && org.calls().is_empty());
}

#[tokio::test]
async fn what_is_set_up_wrongly_is_named_whenever_it_is_asked() {
    let nobody = org(Wire::OpenAi, vec![good()], Ok(allowed())).await;
    for (wrong, named) in [
        (("AI_PRICE_INPUT", "secret"), "AI_PRICE_INPUT"),
        (("AI_PRICE_OUTPUT", "1000000001"), "AI_PRICE_OUTPUT"),
        (("AI_BASE_URL", "secret"), "AI_BASE_URL"),
    ] {
        let variables = [wrong, ("AI_PROVIDER", "openai"), ("AI_MODEL", "m")];
        let variable = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let back_end = BackEnd::new(Some("service-key".to_owned()), nobody.ledger.clone());
        let models = Models::read(&variable, back_end, nobody.lines.clone());
        assert!(!models.is_builtin());
        let asked = models.stream(&caller(), ORG, Feature::Assistant, prompt()).await;
        let error = asked.err().unwrap();
        assert!(error.hint.contains(named) && !error.hint.contains("secret"), "{error:?}");
    }
    assert!(nobody.calls().is_empty());
    let back_end = BackEnd::new(None, nobody.ledger.clone());
    assert!(Models::read(&|_| None, back_end, nobody.lines.clone()).is_builtin());
}
