//! Acting: the actions of a rule for all customers it took in together, and what becomes of their runs.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use fieldcrm_core::automation::Action;
use fieldcrm_core::segment::SegmentType;
use fieldcrm_core::template::{Facts, Template};
use fieldcrm_core::{Code, Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::action::{self, Text, uses_facts};
use super::run::{Outcome, Rule, Run, Skip, Tally};
use crate::{Db, Work, call_as};

const FIND_FACTS: &str = include_str!("../../sql/automation/find_facts.sql");
const MAKE_TAGS: &str = include_str!("../../sql/automation/make_tags.sql");
const SET_CHAIN: &str = include_str!("../../sql/automation/set_chain.sql");
const FINISH: &str = include_str!("../../sql/automation/finish.sql");

/// What the actions of a batch need to know, read at once before any of them acts.
#[derive(Debug, Deserialize)]
pub(super) struct Known {
    pub now: DateTime<Utc>,
    pub facts: BTreeMap<Uuid, Facts>,
    pub templates: BTreeMap<Uuid, Template>,
    pub segments: BTreeMap<Uuid, SegmentType>,
}

/// The runs of one rule that act in the same name.
struct Group {
    actions: Result<Vec<Action>>,
    runs: Vec<Run>,
}

/// A run with the texts of its actions, one or none for each.
pub(super) struct Task {
    pub run: Run,
    pub texts: Vec<Option<Text>>,
}

/// Lets the runs act, and writes down how each ended.
pub(super) async fn act<D: Db>(
    db: &mut D,
    rules: &[Rule],
    runs: Vec<Run>,
    tally: &mut Tally,
) -> Result<()> {
    if runs.is_empty() {
        return Ok(());
    }
    // In the order of the rules, so that of two actions on one customer the later rule's holds.
    let mut groups: BTreeMap<(usize, Vec<Uuid>), Group> = BTreeMap::new();
    for run in runs {
        let group = groups
            .entry((run.rule, run.rule_chain.clone()))
            .or_insert_with(|| Group { actions: read(&rules[run.rule].actions), runs: Vec::new() });
        group.runs.push(run);
    }
    let known = prepare(db, rules, &groups).await?;
    let mut ended = Vec::new();
    for ((place, chain), group) in groups {
        let rule = &rules[place];
        match group.actions.and_then(|actions| check(actions, &known)) {
            Ok(actions) => {
                let mut name = chain;
                name.push(rule.id);
                ended.extend(act_together(db, rule, &actions, &name, group.runs, &known).await?);
            }
            Err(error) => {
                let failed = |run| (run, Outcome::Failed(error.clone()));
                ended.extend(group.runs.into_iter().map(failed));
            }
        }
    }
    db.call(SET_CHAIN, &json!({"chain": ""})).await?;
    finish(db, rules, ended, tally).await
}

fn read(actions: &Value) -> Result<Vec<Action>> {
    serde_json::from_value(actions.clone()).map_err(|error| {
        Error::new(Code::WrongState, format!("The actions cannot be read: {error}"))
    })
}

/// What makes no sense for any customer is found out once.
fn check(actions: Vec<Action>, known: &Known) -> Result<Vec<Action>> {
    for action in &actions {
        match action {
            Action::SendMessage { template_id: Some(id), .. }
                if !known.templates.contains_key(id) =>
            {
                return Err(Error::not_found("template"));
            }
            Action::AddToSegment { segment_id } => match known.segments.get(segment_id) {
                None => return Err(Error::not_found("segment")),
                Some(SegmentType::RuleBased) => {
                    let hint = "The members of this segment are those its rules match.";
                    return Err(Error::new(Code::WrongState, hint));
                }
                Some(_) => {}
            },
            _ => {}
        }
    }
    Ok(actions)
}

/// Reads what the actions need to know, and makes the tags they put on.
async fn prepare<D: Db>(
    db: &mut D,
    rules: &[Rule],
    groups: &BTreeMap<(usize, Vec<Uuid>), Group>,
) -> Result<Known> {
    let mut tags = BTreeSet::new();
    let (mut templates, mut segments, mut customers) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for ((place, _), group) in groups {
        let org_id = rules[*place].org_id;
        for action in group.actions.as_ref().map(Vec::as_slice).unwrap_or_default() {
            match action {
                Action::TagCustomer { tag } => drop(tags.insert((org_id, tag.as_str()))),
                Action::SendMessage { template_id: Some(id), .. } => {
                    templates.insert((org_id, *id));
                }
                Action::AddToSegment { segment_id } => drop(segments.insert((org_id, *segment_id))),
                _ => {}
            }
            if uses_facts(action) {
                customers.extend(group.runs.iter().map(|run| (org_id, run.customer_id)));
            }
        }
    }
    if !tags.is_empty() {
        let tags: Vec<_> =
            tags.iter().map(|(org, tag)| json!({"org_id": org, "name": tag})).collect();
        db.call(MAKE_TAGS, &json!({"tags": tags})).await?;
    }
    let keys = |set: BTreeSet<(Uuid, Uuid)>| -> Value {
        set.iter().map(|(org, id)| json!({"org_id": org, "id": id})).collect()
    };
    let document = json!({"templates": keys(templates), "segments": keys(segments),
        "customers": keys(customers)});
    call_as(db, FIND_FACTS, &document).await
}

/// One attempt for all; where it fails, one for each, so that the others do not suffer for one.
async fn act_together<D: Db>(
    db: &mut D,
    rule: &Rule,
    actions: &[Action],
    chain: &[Uuid],
    runs: Vec<Run>,
    known: &Known,
) -> Result<Vec<(Run, Outcome)>> {
    let mut ended = Vec::new();
    let mut tasks = Vec::new();
    for run in runs {
        match action::texts(actions, &run, known) {
            Ok(texts) => tasks.push(Task { run, texts }),
            Err(error) => ended.push((run, Outcome::Failed(error))),
        }
    }
    if tasks.is_empty() {
        return Ok(ended);
    }
    let chain = chain.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
    let chain = format!("{{{chain}}}");
    match attempt(db, Attempt { rule, actions, chain: &chain, tasks: &tasks, known }).await? {
        Ok(results) => {
            let success = |(task, results): (Task, _)| (task.run, Outcome::Success(results));
            ended.extend(tasks.into_iter().zip(results).map(success));
        }
        Err(error) if tasks.len() == 1 => {
            ended.extend(tasks.into_iter().map(|task| (task.run, Outcome::Failed(error.clone()))));
        }
        Err(_) => {
            for task in tasks {
                let tasks = std::slice::from_ref(&task);
                let alone = Attempt { rule, actions, chain: &chain, tasks, known };
                let outcome = match attempt(db, alone).await? {
                    Ok(mut results) => Outcome::Success(results.pop().unwrap_or_default()),
                    Err(error) => Outcome::Failed(error),
                };
                ended.push((task.run, outcome));
            }
        }
    }
    Ok(ended)
}

/// All actions of a rule for some of its runs.
struct Attempt<'a> {
    rule: &'a Rule,
    actions: &'a [Action],
    /// In whose name, as the literal of a `uuid[]`.
    chain: &'a str,
    tasks: &'a [Task],
    known: &'a Known,
}

impl<D: Db> Work<D> for Attempt<'_> {
    type Output = Vec<Vec<Value>>;

    async fn run(self, db: &mut D) -> Result<Self::Output> {
        let Self { rule, actions, chain, tasks, known } = self;
        db.call(SET_CHAIN, &json!({"chain": chain})).await?;
        let mut results = vec![Vec::with_capacity(actions.len()); tasks.len()];
        for (place, action) in actions.iter().enumerate() {
            let done = action::perform(db, rule, place, action, tasks, known).await?;
            for (results, result) in results.iter_mut().zip(done) {
                results.push(result);
            }
        }
        Ok(results)
    }
}

/// Does it all, or nothing. What another try may well do is for the caller to hand on.
async fn attempt<D: Db>(db: &mut D, attempt: Attempt<'_>) -> Result<Result<Vec<Vec<Value>>>> {
    match db.attempt(attempt).await {
        Err(error) if error.code == Code::Unavailable => Err(error),
        outcome => Ok(outcome),
    }
}

/// Writes down how runs ended.
pub(super) async fn finish<D: Db>(
    db: &mut D,
    rules: &[Rule],
    ended: Vec<(Run, Outcome)>,
    tally: &mut Tally,
) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let runs: Vec<_> = ended
        .into_iter()
        .map(|(run, outcome)| {
            let rule = &rules[run.rule];
            let mut row = json!({"id": run.id, "org_id": rule.org_id, "version": rule.version,
                "matched": run.matched, "attempted": true});
            match outcome {
                Outcome::Success(results) => {
                    tally.succeeded += 1;
                    row["status"] = json!("success");
                    row["results"] = json!(results);
                }
                Outcome::Failed(error) => {
                    tally.failed += 1;
                    row["status"] = json!("failed");
                    row["error_code"] = json!(error.code);
                    row["error_message"] = json!(error.hint);
                }
                Outcome::Skipped(skip) => {
                    tally.skipped += 1;
                    row["status"] = json!("skipped");
                    row["skip_code"] = json!(skip.as_str());
                    row["attempted"] = json!(false);
                }
            }
            row
        })
        .collect();
    db.call(FINISH, &json!({"runs": runs, "reasons": Skip::reasons()})).await.map(drop)
}
