//! The jobs: events worked off, and runs that fell due.

use std::collections::{BTreeMap, BTreeSet};

use fieldcrm_core::{Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::act;
use super::enroll::{self, Fact};
use super::run::{Held, Outcome, Rule, Run, Skip, Tally, rounds};
use crate::{Db, call_as, session};

const CLAIM: &str = include_str!("../../sql/automation/claim.sql");
const HEAR: &str = include_str!("../../sql/automation/hear.sql");
const WORK_OFF: &str = include_str!("../../sql/automation/work_off.sql");
const CLAIM_DUE: &str = include_str!("../../sql/automation/claim_due.sql");
const NOTE_SILENCE: &str = include_str!("../../sql/automation/note_silence.sql");

const BATCH_LIMIT: i64 = 500;
const MAX_BATCH_LIMIT: i64 = 5_000;
/// How often rules look back at one customer in one call; more stays for the next.
const MAX_ROUNDS: usize = 25;
/// How many pairs of an event and a rule that hears it one call takes on: what is more stays for the next, so that a call
/// ends in time however many rules an org has.
const MAX_PAIRS: usize = 20_000;
/// How often a call that found only what others hold looks further down the queue.
const MAX_CLAIMS: usize = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    batch_limit: Option<i64>,
}

/// Which org a job works for, or all, and how much it takes on.
async fn job(db: &mut impl Db, arguments: Value) -> Result<(Option<Uuid>, i64)> {
    let Batch { batch_limit } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    if !caller.service {
        return Err(Error::new(Code::Forbidden, "This is for back-end jobs."));
    }
    let batch_limit = batch_limit.unwrap_or(BATCH_LIMIT);
    if !(1..=MAX_BATCH_LIMIT).contains(&batch_limit) {
        let message = format!("must be from 1 to {MAX_BATCH_LIMIT}");
        return Err(Error::invalid_field("batch_limit", "out_of_range", message));
    }
    Ok((caller.org_id, batch_limit))
}

/// `crm_run_automations(batch_limit)`: {events, enrolled, succeeded, failed, skipped, scheduled}.
pub async fn run_automations<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    work_off(db, arguments, None).await
}

/// `crm_process_segment_automations(batch_limit)`: the same for customers who entered or left a segment.
pub async fn process_segments<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    work_off(db, arguments, Some(&["segment_entered", "segment_left"])).await
}

#[derive(Deserialize)]
struct Claimed {
    last: Option<i64>,
    events: Vec<Fact>,
    held: Vec<(Uuid, bool, bool)>,
}

#[derive(Deserialize)]
struct Heard {
    rules: Vec<Rule>,
    heard: Vec<(usize, usize)>,
}

/// The queue rows go in the transaction that acts: whoever is killed leaves them for the next.
async fn work_off<D: Db>(
    db: &mut D,
    arguments: Value,
    event_types: Option<&[&str]>,
) -> Result<Value> {
    let (org_id, batch_limit) = job(db, arguments).await?;
    let (mut events, mut held) = (Vec::new(), Held::default());
    let mut after = 0;
    // Whoever somebody else held keeps waiting: what happened to them later does not come first.
    let mut others = BTreeSet::new();
    for _ in 0..MAX_CLAIMS {
        let document = json!({"org_id": org_id, "event_types": event_types,
            "batch_limit": batch_limit, "after": after});
        let claimed: Claimed = call_as(db, CLAIM, &document).await?;
        held = Held::new(claimed.held);
        events = claimed.events;
        events.retain(|event| {
            let ours = held.has(event.customer_id) && !others.contains(&event.customer_id);
            if !ours {
                others.insert(event.customer_id);
            }
            ours
        });
        let Some(last) = claimed.last.filter(|_| events.is_empty()) else { break };
        after = last;
    }
    let mut tally = Tally::default();
    let worked_off = if events.is_empty() {
        json!({"events": 0})
    } else {
        let queue_ids = work_through(db, &events, &held, &mut tally).await?;
        db.call(WORK_OFF, &json!({"org_id": org_id, "queue_ids": queue_ids})).await?
    };
    Ok(json!({
        "events": worked_off["events"], "enrolled": tally.enrolled, "succeeded": tally.succeeded,
        "failed": tally.failed, "skipped": tally.skipped, "scheduled": tally.scheduled,
    }))
}

/// Lets the rules hear the events, and returns the queue's ids of those that are done with.
async fn work_through<D: Db>(
    db: &mut D,
    events: &[Fact],
    held: &Held,
    tally: &mut Tally,
) -> Result<Vec<i64>> {
    let ids: Vec<_> = events.iter().map(|event| event.event_id).collect();
    let Heard { rules, mut heard } = call_as(db, HEAR, &json!({"event_ids": ids})).await?;
    // In the order of the events, of which at least the first is worked off.
    let end = heard.get(MAX_PAIRS).map_or(events.len(), |(event, _)| (*event).max(1));
    let events = &events[..end];
    heard.retain(|(event, _)| *event < end);
    let mut looked_back = vec![false; events.len()];
    for (event, rule) in &heard {
        looked_back[*event] |= rules[*rule].looks_back();
    }
    let customers = events.iter().map(|event| event.customer_id);
    let rounds = rounds(customers.zip(looked_back));
    let last = rounds.iter().copied().max().unwrap_or_default().min(MAX_ROUNDS - 1);
    for round in 0..=last {
        let heard: Vec<_> =
            heard.iter().copied().filter(|(event, _)| rounds[*event] == round).collect();
        let runs = enroll::enroll(db, &rules, events, held, &heard, tally).await?;
        act::act(db, &rules, runs, tally).await?;
    }
    let done = events.iter().zip(rounds).filter(|(_, round)| *round < MAX_ROUNDS);
    Ok(done.map(|(event, _)| event.queue_id).collect())
}

/// A run that fell due.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Due {
    id: Uuid,
    org_id: Uuid,
    rule: usize,
    pub customer_id: Uuid,
    occurrence_key: String,
    event: Value,
    rule_chain: Vec<Uuid>,
    skip: Option<String>,
}

#[derive(Deserialize)]
struct ClaimedDue {
    rules: Vec<Rule>,
    runs: Vec<Due>,
    held: Vec<(Uuid, bool, bool)>,
}

/// `crm_process_time_based(batch_limit)`: {due, succeeded, failed, skipped}.
pub async fn process_time_based<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let (org_id, batch_limit) = job(db, arguments).await?;
    let document = json!({"org_id": org_id, "batch_limit": batch_limit});
    let ClaimedDue { rules, mut runs, held } = call_as(db, CLAIM_DUE, &document).await?;
    let held = Held::new(held);
    runs.retain(|run| held.has(run.customer_id));
    let rounds =
        rounds(runs.iter().map(|run| (run.customer_id, rules[run.rule].conditions.is_some())));
    let last = rounds.iter().copied().max().unwrap_or_default().min(MAX_ROUNDS - 1);
    let mut tally = Tally::default();
    let mut done = 0;
    for round in 0..=last {
        let due: Vec<_> =
            runs.iter().zip(&rounds).filter(|(_, at)| **at == round).map(|(run, _)| run).collect();
        done += due.len();
        fall_due(db, &rules, &due, &held, true, &mut tally).await?;
    }
    Ok(json!({
        "due": done, "succeeded": tally.succeeded, "failed": tally.failed, "skipped": tally.skipped,
    }))
}

/// Checks again whether the runs are to act, and lets them. `ask`: whether the conditions are to be checked.
pub(super) async fn fall_due<D: Db>(
    db: &mut D,
    rules: &[Rule],
    due: &[&Due],
    held: &Held,
    ask: bool,
    tally: &mut Tally,
) -> Result<()> {
    let mut asked: BTreeMap<usize, BTreeSet<Uuid>> = BTreeMap::new();
    for run in due.iter().filter(|run| ask && run.skip.is_none()) {
        asked.entry(run.rule).or_default().insert(run.customer_id);
    }
    let matches = enroll::matches(db, rules, &asked).await?;
    let mut runs = Vec::new();
    let mut ended = Vec::new();
    let mut silent = Vec::new();
    for run in due {
        let rule = &rules[run.rule];
        let mut act = Run {
            id: run.id,
            rule: run.rule,
            customer_id: run.customer_id,
            occurrence: run.occurrence_key.clone(),
            event: run.event.clone(),
            rule_chain: run.rule_chain.clone(),
            matched: None,
        };
        let mut outcome = run.skip.as_deref().and_then(Skip::parse).map(Outcome::Skipped);
        if outcome.is_none() && rule.conditions.is_some() && ask {
            match matches.get(&run.rule) {
                Some(Ok(found)) => match found.get(&run.customer_id) {
                    Some(facts) => act.matched = Some(facts.clone()),
                    None => outcome = Some(Outcome::Skipped(Skip::Conditions)),
                },
                Some(Err(error)) => outcome = Some(Outcome::Failed(error.clone())),
                None => {}
            }
        }
        if outcome.is_none() {
            outcome = held.refuses(run.customer_id, rule).map(Outcome::Skipped);
        }
        if let Some(outcome) = outcome {
            ended.push((act, outcome));
            continue;
        }
        if rule.waits_for_no_reply() {
            let payload = &run.event["payload"];
            silent.push(json!({
                "org_id": run.org_id, "customer_id": run.customer_id,
                "minutes": rule.time_offset_minutes, "interaction_id": payload["interaction_id"],
                "channel": payload["channel"], "rule_chain": run.rule_chain,
            }));
        }
        runs.push(act);
    }
    if !silent.is_empty() {
        db.call(NOTE_SILENCE, &json!({"runs": silent})).await?;
    }
    act::finish(db, rules, ended, tally).await?;
    act::act(db, rules, runs, tally).await
}
