//! `/dispatch-messages`: takes messages out of the outbox, hands them to their providers, and writes down how it went.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::{Extension, Json};
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::clock::sleep;
use fieldcrm_edge::{Caller, JsonObject, Ports, Problem, log};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use serde_json::{Map, Value, json};
use web_time::Instant;

use crate::Settings;
use crate::arguments::batch_limit;
use crate::provider::{Channel, Outcome, Outgoing, Providers};
use crate::work::Budget;

/// For how long a claimed message is ours. Long enough for the slowest claim: [`CLAIM`] messages, [`AT_ONCE`] at a
/// time, each with a provider and a database that answer at the last moment.
pub const LEASE: Duration = Duration::from_mins(2);
/// What is left of the lease when a message is still sent: enough to send it and to say so.
const RESERVE: Duration = Duration::from_secs(45);
/// Messages that are claimed together.
const CLAIM: u64 = 24;
/// Workers let a call have six connections open.
const AT_ONCE: usize = 6;
/// Of them those for webhooks, where other channels are served as well.
const WEBHOOKS_AT_ONCE: usize = 2;
/// Messages in one call.
const DEFAULT_LIMIT: u64 = 500;
const MAX_LIMIT: u64 = 10_000;
/// How often the database is asked to take down how it went.
const NOTES: u64 = 3;

/// What became of the messages of a call.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Totals {
    claimed: u64,
    sent: u64,
    /// To be tried again.
    retried: u64,
    /// Not to be.
    failed: u64,
    unknown: u64,
    /// The database did not take down how it went; when the lease is over it finds out what it can.
    unrecorded: u64,
    /// Not handed out, because consent says later or no.
    deferred: u64,
    refused: u64,
}

#[derive(Clone, Copy)]
enum End {
    Sent,
    Retried,
    Failed,
    Unknown,
    Unrecorded,
}

impl Totals {
    fn count(&mut self, end: End) {
        *match end {
            End::Sent => &mut self.sent,
            End::Retried => &mut self.retried,
            End::Failed => &mut self.failed,
            End::Unknown => &mut self.unknown,
            End::Unrecorded => &mut self.unrecorded,
        } += 1;
    }

    fn add(&mut self, other: Self) {
        self.claimed += other.claimed;
        self.sent += other.sent;
        self.retried += other.retried;
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.unrecorded += other.unrecorded;
        self.deferred += other.deferred;
        self.refused += other.refused;
    }
}

/// `POST /dispatch-messages`
pub async fn dispatch_messages(
    State(ports): State<Ports>,
    Extension(settings): Extension<Settings>,
    caller: Caller,
    body: Option<JsonObject>,
) -> Result<Json<Value>, Problem> {
    let limit = batch_limit(body, MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let budget = Budget::start(settings.budget);
    let providers = settings.providers.as_ref();
    let (webhooks, others): (Vec<_>, Vec<_>) =
        providers.names().partition(|(channel, _)| *channel == Channel::Webhook);
    let run =
        Run { ports: &ports, providers, caller: &caller, budget, left: AtomicU64::new(limit) };
    // Receivers of webhooks are anybody's servers, slow and dead ones among them: nothing else waits for them.
    let totals = if webhooks.is_empty() || others.is_empty() {
        run.work_off(&[webhooks, others].concat(), AT_ONCE).await?
    } else {
        let (one, other) = futures_util::future::join(
            run.work_off(&others, AT_ONCE - WEBHOOKS_AT_ONCE),
            run.work_off(&webhooks, WEBHOOKS_AT_ONCE),
        )
        .await;
        let mut totals = one?;
        totals.add(other?);
        totals
    };
    let mut answer = json!(totals);
    if !providers.misconfigured.is_empty() {
        // To the operator, who alone gets here.
        let wrong = providers.misconfigured.iter();
        answer["misconfigured"] = wrong
            .map(|(channel, wrong)| (channel.as_str().to_owned(), wrong.to_string().into()))
            .collect::<Map<_, _>>()
            .into();
    }
    Ok(Json(answer))
}

/// What the loops of one call share.
struct Run<'a> {
    ports: &'a Ports,
    providers: &'a Providers,
    caller: &'a Caller,
    budget: Budget,
    /// How many messages the call may still claim.
    left: AtomicU64,
}

impl Run<'_> {
    /// Claims the messages of these channels and sends them, until there are none or the time is over.
    async fn work_off(
        &self,
        channels: &[(Channel, &'static str)],
        at_once: usize,
    ) -> Result<Totals> {
        let names: Map<String, Value> = channels
            .iter()
            .map(|(channel, name)| (channel.as_str().to_owned(), (*name).into()))
            .collect();
        let mut totals = Totals::default();
        while !self.budget.is_over() {
            let asked = CLAIM.min(self.left.load(Ordering::Relaxed));
            if asked == 0 {
                break;
            }
            self.left.fetch_sub(asked, Ordering::Relaxed);
            let arguments = Map::from_iter([
                ("batch_limit".to_owned(), asked.into()),
                ("lease_seconds".to_owned(), LEASE.as_secs().into()),
                ("providers".to_owned(), names.clone().into()),
            ]);
            let leased = Instant::now();
            let claim = self.ports.database.rpc(self.caller, "crm_claim_messages", arguments).await;
            // Who may call this is decided before the arguments are looked at; that nobody serves a channel is no error.
            if names.is_empty()
                && claim.as_ref().is_err_and(|error| error.code == Code::InvalidArgument)
            {
                break;
            }
            let mut claim = claim?;
            let Value::Array(messages) = claim["messages"].take() else {
                return Err(Error::internal("a claim without messages"));
            };
            let count = |name: &str| claim[name].as_u64().unwrap_or_default();
            let (claimed, deferred, refused) =
                (messages.len() as u64, count("deferred"), count("refused"));
            self.left.fetch_add(asked.saturating_sub(claimed), Ordering::Relaxed);
            totals.claimed += claimed;
            totals.deferred += deferred;
            totals.refused += refused;
            let dispatch = Dispatch {
                ports: self.ports,
                providers: self.providers,
                caller: self.caller,
                leased,
            };
            let mut ends = stream::iter(messages)
                .map(|message| dispatch.deliver(message))
                .buffer_unordered(at_once);
            while let Some(end) = ends.next().await {
                totals.count(end);
            }
            if claimed + deferred + refused == 0 {
                break;
            }
        }
        Ok(totals)
    }
}

/// The messages of one claim.
struct Dispatch<'a> {
    ports: &'a Ports,
    providers: &'a Providers,
    caller: &'a Caller,
    /// Before the claim: the lease ends no earlier.
    leased: Instant,
}

impl Dispatch<'_> {
    async fn deliver(&self, message: Value) -> End {
        let keys = Map::from_iter([
            ("id".to_owned(), message["id"].clone()),
            ("lease_id".to_owned(), message["lease_id"].clone()),
        ]);
        let provider = message["provider"].clone();
        let (channel, attempts) = (message["channel"].clone(), message["attempts"].clone());
        let begun = Instant::now();
        let outcome = match serde_json::from_value::<Outgoing>(message) {
            Ok(message) => self.send(&message).await,
            // The message of serde would quote the text.
            Err(_) => Outcome::rejected("unreadable", "the message has not the form of one"),
        };
        let mut facts = keys.clone();
        // Those who are told of events look up how it went.
        if channel == Channel::Webhook.as_str() && !matches!(outcome, Outcome::Late) {
            let took = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
            facts.insert("http_status".to_owned(), outcome.http_status().into());
            facts.insert("duration_ms".to_owned(), took.into());
        }
        let end = self.note(facts, &outcome).await;
        let (outcome, code) = match &outcome {
            Outcome::Sent { .. } if matches!(end, End::Unrecorded) => ("sent", None),
            Outcome::Sent { .. } => return end,
            Outcome::Retry { code, .. } => ("retry", Some(code)),
            Outcome::Rejected { code, .. } => ("rejected", Some(code)),
            Outcome::Unknown { code, .. } => ("unknown", Some(code)),
            Outcome::Late => ("late", None),
        };
        let facts = json!({
            "slug": "jobs", "request_id": self.caller.request_id, "id": keys["id"], "channel": channel,
            "provider": provider, "attempts": attempts, "outcome": outcome, "code": code,
            "recorded": !matches!(end, End::Unrecorded),
        });
        log::event(self.ports.log.as_ref(), "warn", "message", facts);
        end
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        if self.leased.elapsed() + RESERVE > LEASE {
            return Outcome::Late;
        }
        match self.providers.get(message.channel) {
            Some(provider) => provider.send(message).await,
            None => Outcome::rejected("no_provider", "nobody serves this channel"),
        }
    }

    /// Tells the outbox. What it does not take down now it cannot know later, so it is asked more than once.
    async fn note(&self, mut arguments: Map<String, Value>, outcome: &Outcome) -> End {
        let (function, facts, end) = match outcome {
            Outcome::Sent { provider_message_id, .. } => (
                "crm_complete_message",
                json!({ "provider_message_id": provider_message_id }),
                End::Sent,
            ),
            Outcome::Retry { code, message, retry_after, .. } => (
                "crm_fail_message",
                json!({
                    "code": code, "message": message, "retryable": true,
                    "retry_after_seconds": retry_after,
                }),
                End::Retried,
            ),
            Outcome::Rejected { code, message, .. } => (
                "crm_fail_message",
                json!({ "code": code, "message": message, "retryable": false }),
                End::Failed,
            ),
            Outcome::Unknown { code, message } => (
                "crm_mark_message_unknown",
                json!({ "code": code, "message": message }),
                End::Unknown,
            ),
            Outcome::Late => {
                ("crm_fail_message", json!({ "retryable": true, "untried": true }), End::Retried)
            }
        };
        arguments.extend(facts.as_object().cloned().unwrap_or_default());
        for attempt in 1..=NOTES {
            match self.ports.database.rpc(self.caller, function, arguments.clone()).await {
                // The last attempt of a message is not tried again, however it failed.
                Ok(noted) if noted["status"] == "failed" => return End::Failed,
                Ok(_) => return end,
                Err(error) if error.code == Code::Unavailable && attempt < NOTES => {
                    sleep(Duration::from_millis(200 * attempt)).await;
                }
                Err(_) => break,
            }
        }
        End::Unrecorded
    }
}
