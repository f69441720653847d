//! Who is taken in by a rule: loop guard, conditions, re-enrolment.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fieldcrm_core::automation::MAX_CHAIN;
use fieldcrm_core::{Code, Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::run::{Held, Reenrollment, Rule, Run, Skip, Tally};
use crate::segment::evaluate::Evaluation;
use crate::{Db, Work, call_as};

const ENROLL: &str = include_str!("../../sql/automation/enroll.sql");

/// The most runs one statement makes.
const MAX_RUNS: usize = 5_000;

/// An event that was claimed, with its customer locked.
#[derive(Debug, Deserialize)]
pub(super) struct Fact {
    pub queue_id: i64,
    pub event_id: Uuid,
    pub customer_id: Uuid,
    pub event_type: String,
    pub event_key: String,
    pub occurred_at: String,
    pub payload: Value,
    pub rule_chain: Vec<Uuid>,
}

/// Who matches a rule, each with what its conditions saw; or why they cannot be checked.
pub(super) type Matches = Result<HashMap<Uuid, Value>>;

/// Which of the customers each rule matches: all of them are asked before any rule acts. Names mean what they mean
/// now: an action before may have made the tag.
pub(super) async fn matches<D: Db>(
    db: &mut D,
    rules: &[Rule],
    asked: &BTreeMap<usize, BTreeSet<Uuid>>,
) -> Result<HashMap<usize, Matches>> {
    let mut found = HashMap::new();
    for (place, customers) in asked {
        let rule = &rules[*place];
        let Some(conditions) = &rule.conditions else { continue };
        let outcome = db.attempt(Ask { org_id: rule.org_id, conditions, customers }).await;
        found.insert(*place, tolerate(outcome)?);
    }
    Ok(found)
}

/// One rule's conditions, asked about customers.
struct Ask<'a> {
    org_id: Uuid,
    conditions: &'a Value,
    customers: &'a BTreeSet<Uuid>,
}

impl<D: Db> Work<D> for Ask<'_> {
    type Output = HashMap<Uuid, Value>;

    async fn run(self, db: &mut D) -> Matches {
        let evaluation = Evaluation::prepare(db, self.org_id, self.conditions, None).await?;
        matching(db, &evaluation, self.customers).await
    }
}

/// An error of one rule is for its runs to tell; what another try may well do is for all.
fn tolerate<T>(outcome: Result<T>) -> Result<Result<T>> {
    match outcome {
        Err(error) if error.code == Code::Unavailable => Err(error),
        outcome => Ok(outcome),
    }
}

/// Which of the customers match, each with what the conditions saw.
pub(super) async fn matching(
    db: &mut impl Db,
    evaluation: &Evaluation,
    customers: &BTreeSet<Uuid>,
) -> Matches {
    let statement = evaluation.compiled.those_who_match();
    let document = evaluation.with("customer_ids", json!(customers));
    let answer = db.run_kept(&statement, &document).await?;
    let rows: Vec<(Uuid, Vec<(bool, Value)>)> = serde_json::from_value(answer)
        .map_err(|error| Error::internal(format!("unexpected matches of a rule: {error}")))?;
    let explain = |nodes: Vec<(bool, Value)>| {
        let paths = evaluation.compiled.nodes();
        nodes
            .into_iter()
            .zip(paths)
            .map(|((result, actual), path)| json!({"path": path, "result": result, "actual": actual}))
            .collect()
    };
    Ok(rows.into_iter().map(|(id, nodes)| (id, explain(nodes))).collect())
}

#[derive(Deserialize)]
struct Enrolled {
    /// Rule, event, run, occurrence.
    made: Vec<(Uuid, Uuid, Uuid, String)>,
    skipped: u64,
    failed: u64,
}

/// Takes in the customers of the events for the rules that hear them, `heard` being places in both lists. Returns the
/// runs that act at once.
pub(super) async fn enroll<D: Db>(
    db: &mut D,
    rules: &[Rule],
    events: &[Fact],
    held: &Held,
    heard: &[(usize, usize)],
    tally: &mut Tally,
) -> Result<Vec<Run>> {
    let mut asked: BTreeMap<usize, BTreeSet<Uuid>> = BTreeMap::new();
    for (event, rule) in heard {
        if guard(&events[*event], &rules[*rule]).is_none() && rules[*rule].conditions.is_some() {
            asked.entry(*rule).or_default().insert(events[*event].customer_id);
        }
    }
    let mut matches = matches(db, rules, &asked).await?;
    let mut wanted = Vec::new();
    let mut places = HashMap::new();
    for (event_place, place) in heard {
        let event = &events[*event_place];
        let skip = guard(event, &rules[*place]);
        let mut facts = None;
        let mut refusal = None;
        if skip.is_none() && rules[*place].conditions.is_some() {
            match matches.get_mut(place) {
                Some(Ok(found)) => match found.get(&event.customer_id) {
                    Some(found) => facts = Some(found.clone()),
                    None => continue,
                },
                Some(Err(error)) => refusal = Some(error.clone()),
                None => continue,
            }
        }
        let skip = skip.or_else(|| held.refuses(event.customer_id, &rules[*place]));
        wanted.push(json!({
            "n": wanted.len(), "rule": place, "event_id": event.event_id,
            "skip": skip.map(Skip::as_str), "matched": facts,
            "error_code": refusal.as_ref().map(|error| error.code.as_str()),
            "error_message": refusal.map(|error| error.hint),
        }));
        places.insert((rules[*place].id, event.event_id), (*event_place, *place));
    }
    let mut runs = Vec::new();
    for chunk in wanted.chunks(MAX_RUNS) {
        let document =
            json!({"rules": described(rules), "reasons": Skip::reasons(), "runs": chunk});
        let enrolled: Enrolled = call_as(db, ENROLL, &document).await?;
        tally.skipped += enrolled.skipped;
        tally.failed += enrolled.failed;
        tally.enrolled += enrolled.failed + enrolled.made.len() as u64;
        for (rule_id, event_id, id, occurrence) in enrolled.made {
            let Some((event, rule)) = places.get(&(rule_id, event_id)).copied() else { continue };
            if rules[rule].time_offset_minutes.is_some_and(|minutes| minutes > 0) {
                tally.scheduled += 1;
                continue;
            }
            let event = &events[event];
            runs.push((
                event.queue_id,
                Run {
                    id,
                    rule,
                    customer_id: event.customer_id,
                    occurrence,
                    event: json!({
                        "event_type": event.event_type, "event_key": event.event_key,
                        "occurred_at": event.occurred_at, "payload": event.payload,
                    }),
                    rule_chain: event.rule_chain.clone(),
                    matched: None,
                },
            ));
        }
    }
    // In the order in which things happened.
    runs.sort_by_key(|(queue_id, _)| *queue_id);
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

/// A circle of rules is cut where it closes, and a long way before it grows longer.
fn guard(event: &Fact, rule: &Rule) -> Option<Skip> {
    if event.rule_chain.contains(&rule.id) {
        Some(Skip::Loop)
    } else if event.rule_chain.len() >= MAX_CHAIN {
        Some(Skip::TooDeep)
    } else {
        None
    }
}

fn described(rules: &[Rule]) -> Vec<Value> {
    rules
        .iter()
        .enumerate()
        .map(|(place, rule)| {
            json!({
                "place": place, "org_id": rule.org_id, "rule_id": rule.id, "version": rule.version,
                // Of several waits for a reply the last one counts: who is taken in is known when it is over.
                "once": rule.reenrollment == Reenrollment::Once && !rule.waits_for_no_reply(),
                "offset_minutes": rule.time_offset_minutes.unwrap_or_default(),
                "lateness_minutes": rule.max_lateness_minutes,
                "cooldown_minutes": rule.cooldown_minutes.filter(|_| !rule.waits_for_no_reply()),
            })
        })
        .collect()
}
