//! Compiled definitions against the reference evaluator: the same customers, whatever the definition.
//!
//! `FIELDCRM_PROPERTY_CASES` sets how many random definitions (each runs over all customers of an org),
//! `FIELDCRM_PROPERTY_SEED` which.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod segment_reference;
mod segment_sample;

use std::collections::BTreeSet;
use std::time::Instant;

use chrono::{DateTime, Utc};
use common::{Context, Target};
use fieldcrm_core::Error;
use fieldcrm_core::segment::catalogue::{self, Kind};
use fieldcrm_rpc::Db;
use fieldcrm_rpc::segment::evaluate::Evaluation;
use fieldcrm_rpc::tokio::{Prepared, TokioDb};
use segment_reference::calendar;
use segment_reference::datum::lower;
use segment_reference::fields::{self, CUSTOMER, ENTITIES, Type};
use segment_reference::rows::Record;
use segment_sample::arena::{Arena, setting};
use segment_sample::definition::{about_customers, envelope, scopes};
use segment_sample::rows::{TEXTS, ZONES, at};
use segment_sample::{Dice, shrink};
use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_postgres::types::Json;
use uuid::Uuid;

const CUSTOMERS: usize = 300;
/// For the test with the most statements.
const FEW: usize = 100;
const CASES: usize = 1_500;
/// Disagreements that are looked into; each is made smaller, which takes its time.
const MAX_FINDINGS: usize = 10;
const IDS: &str = "select coalesce(jsonb_agg(m.id), '[]') from ({matching}) m";

/// The arena with what is compared and what came of it.
struct Trial {
    arena: Arena,
    prepared: Prepared,
    findings: Vec<String>,
}

impl Trial {
    async fn fill(zone: usize, customers: usize) -> Self {
        let arena = Arena::fill(Target::Native, zone, customers).await;
        // Where a statement fails, the transaction goes back to here.
        arena.context.client.batch_execute("savepoint attempt").await.unwrap();
        Self { arena, prepared: Prepared::default(), findings: Vec::new() }
    }

    /// The ids that the compiled statement finds.
    async fn compiled(
        &mut self,
        definition: &Value,
        now: DateTime<Utc>,
    ) -> Result<BTreeSet<Uuid>, String> {
        let client = &self.arena.context.client;
        let mut db = TokioDb { client, prepared: &mut self.prepared };
        let now = now.to_rfc3339();
        let found =
            match Evaluation::prepare(&mut db, self.arena.org.id, definition, Some(&now)).await {
                Ok(evaluation) => forms(&mut db, &evaluation, &self.arena.org.customers).await,
                Err(error) => Err(error),
            };
        match found {
            Ok((found, form)) if form.is_empty() => Ok(found),
            Ok((_, form)) => Err(form),
            Err(error) => {
                client.batch_execute("rollback to attempt").await.unwrap();
                Err(format!("{error:?}"))
            }
        }
    }

    /// Nothing where both agree; otherwise what is to be said about it.
    async fn differs(&mut self, definition: &Value, now: DateTime<Utc>) -> Option<String> {
        let wanted = self.arena.reference(definition, now);
        match self.compiled(definition, now).await {
            Err(error) => Some(format!("{error}\n  {definition}")),
            Ok(found) if found == wanted => None,
            Ok(found) => {
                let odd = *found.symmetric_difference(&wanted).next().unwrap();
                let customer = self.arena.org.customers.iter().find(|one| one.id == odd).unwrap();
                Some(format!(
                    "now {now} in {}: compiled {}, reference {}\n  {definition}\n  {}",
                    self.arena.org.zone,
                    found.contains(&odd),
                    wanted.contains(&odd),
                    shown(customer, definition)
                ))
            }
        }
    }

    /// Compares, and notes a disagreement about as small a definition as shows it.
    async fn check(&mut self, definition: &Value, now: DateTime<Utc>) {
        if self.findings.len() >= MAX_FINDINGS {
            return;
        }
        let Some(mut finding) = self.differs(definition, now).await else { return };
        let mut definition = definition.clone();
        'smaller: loop {
            for smaller in shrink::smaller(&definition) {
                if let Some(found) = self.differs(&smaller, now).await {
                    (definition, finding) = (smaller, found);
                    continue 'smaller;
                }
            }
            break;
        }
        self.findings.push(finding);
    }

    fn conclude(&self) {
        assert!(self.findings.is_empty(), "{}", self.findings.join("\n\n"));
    }
}

/// Whom the statement finds that asks for everybody, and what is odd about the one that asks about given customers.
async fn forms(
    db: &mut TokioDb<'_, Client>,
    evaluation: &Evaluation,
    customers: &[Record],
) -> Result<(BTreeSet<Uuid>, String), Error> {
    let compiled = &evaluation.compiled;
    let found = ids(&db.run(&compiled.within(IDS), &evaluation.document).await?);
    let all = ids(&db.run(&compiled.within_archived_too(IDS), &evaluation.document).await?);
    // Some are left out: they must not be found.
    let asked: BTreeSet<_> = customers.iter().skip(customers.len() / 4).map(|one| one.id).collect();
    let document = evaluation.with("customer_ids", json!(asked));
    let answer = db.run_kept(&compiled.those_who_match(), &document).await?;
    let rows = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    let explained = rows.iter().all(|row| {
        row[1][0][0] == true
            && row[1].as_array().is_some_and(|nodes| nodes.len() == compiled.nodes().len())
    });
    let given: BTreeSet<_> =
        rows.iter().map(|row| ids(&json!([row[0]])).pop_first().unwrap()).collect();
    let same =
        explained && found.is_subset(&all) && given == all.intersection(&asked).copied().collect();
    let odd =
        if same { String::new() } else { format!("asked about {asked:?}: {answer}, of {all:?}") };
    Ok((found, odd))
}

fn ids(found: &Value) -> BTreeSet<Uuid> {
    found.as_array().unwrap().iter().map(|id| id.as_str().unwrap().parse().unwrap()).collect()
}

/// What the customer has in the fields that the definition names.
fn shown(customer: &Record, definition: &Value) -> String {
    let text = definition.to_string();
    let named = |name: &str| text.contains(&format!("\"{name}\""));
    let fields = |record: &Record| {
        let fields = record.fields.iter().filter(|(name, _)| named(name));
        fields.map(|(name, datum)| format!("{name}: {datum:?}")).collect::<Vec<_>>().join(", ")
    };
    let mut said = format!("{} {}", customer.id, fields(customer));
    if named("tags") {
        said = format!("{said}, tags: {:?}", customer.tags);
    }
    for (entity, rows) in customer.related.iter().filter(|(entity, _)| named(entity)) {
        let rows: Vec<_> = rows.iter().map(|row| format!("{{{}}}", fields(row))).collect();
        said = format!("{said}, {entity}: [{}]", rows.join(", "));
    }
    said
}

async fn random_definitions_agree(zone: usize) {
    let started = Instant::now();
    let mut trial = Trial::fill(zone, CUSTOMERS).await;
    let cases = setting("FIELDCRM_PROPERTY_CASES", CASES).div_ceil(ZONES.len());
    let (mut done, mut telling) = (0, 0);
    while done < cases {
        let now = trial.arena.now();
        let definition = trial.arena.definition(now);
        trial.check(&definition, now).await;
        let matching = trial.arena.reference(&definition, now).len();
        telling += usize::from(matching > 0 && matching < CUSTOMERS * 9 / 10);
        done += 1;
    }
    let zone = trial.arena.org.zone;
    trial.conclude();
    println!(
        "{zone}: {done} definitions, {telling} match some but not most, {:?}",
        started.elapsed()
    );
    assert!(telling * 10 > done * 4, "{telling} of {done} definitions tell anything");
}

/// One rule for each operator of each field, in each way that the operator can be used.
async fn every_operator_of_every_field_agrees(zone: usize) {
    let mut trial = Trial::fill(zone, FEW).await;
    let (mut count, mut told) = (0, BTreeSet::new());
    let mut all = BTreeSet::new();
    for scope in scopes() {
        for (name, kind) in scope.fields {
            for operator in kind.operators() {
                all.insert((scope.entity, *name, *operator));
                for meta in [json!({}), json!({"includeEmpty": false}), json!({"ignoreCase": true})]
                {
                    if meta.get("ignoreCase").is_some() && *kind != Type::Text {
                        continue;
                    }
                    let now = trial.arena.now();
                    let mut rule = trial.arena.sampler(now).rule_with(scope, name, *kind, operator);
                    rule["meta"] = meta;
                    let query =
                        json!({"combinator": "and", "rules": [about_customers(scope, rule)]});
                    let definition = envelope(&query);
                    trial.check(&definition, now).await;
                    let matching = trial.arena.reference(&definition, now).len();
                    if matching > 0 && matching < FEW {
                        told.insert((scope.entity, *name, *operator));
                    }
                    count += 1;
                }
            }
        }
    }
    trial.conclude();
    println!("{count} rules; of {} pairs {} matched some", all.len(), told.len());
    // The rest are nulls of columns that have none, and the like.
    assert!(told.len() * 10 > all.len() * 7, "{:?}", all.difference(&told).collect::<Vec<_>>());
}

/// The reference is only as good as its clock and its letters.
async fn the_reference_reads_clocks_as_the_database_does(zone: usize) {
    let context = Context::start(Target::Native).await;
    let mut dice = Dice::new(3);
    let (zone, _) = ZONES[zone];
    let mut instants: Vec<DateTime<Utc>> = Vec::new();
    for _ in 0..3_000 {
        instants.push(segment_sample::rows::instant(&mut dice, zone, at("2026-07-01T00:00:00Z")));
    }
    for span in ["PT0S", "PT30M", "PT1H", "P1D", "P1M", "P1Y2M3W4DT5H6M7S"] {
        let moved = instants.iter().map(|now| {
            let span = calendar::Span::parse(span);
            let moved = [span, -span].map(|span| calendar::moved(*now, span, zone));
            json!({"at": now, "ahead": moved[0], "ago": moved[1]})
        });
        let sql = "select jsonb_agg(to_jsonb(x)) from (
            select * from jsonb_to_recordset($1) as x (at timestamptz, ahead timestamptz, ago timestamptz)) x
            where ahead <> (at at time zone $2 + $3::text::interval) at time zone $2
              or ago <> (at at time zone $2 - $3::text::interval) at time zone $2";
        let moved = Json(Value::Array(moved.collect()));
        let row = context.client.query_one(sql, &[&moved, &zone.name(), &span]).await.unwrap();
        assert_eq!(row.get::<_, Option<Value>>(0), None, "{span}");
    }
}

mod native {
    #[tokio::test]
    async fn the_reference_reads_clocks_as_the_database_does() {
        for zone in 0..super::ZONES.len() {
            super::the_reference_reads_clocks_as_the_database_does(zone).await;
        }
    }

    #[tokio::test]
    async fn the_reference_lowers_letters_as_the_database_does() {
        let context = super::Context::start(super::Target::Native).await;
        let letters: String = (1..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
        let row = context.client.query_one("select lower($1::text)", &[&letters]).await.unwrap();
        let (theirs, ours) = (row.get::<_, String>(0), super::lower(&letters));
        let odd =
            letters.chars().zip(theirs.chars().zip(ours.chars())).filter(|(_, (a, b))| a != b);
        // Letters that one of the two is too old for are none that these tests use.
        let used: Vec<char> = super::TEXTS.iter().flat_map(|text| text.chars()).collect();
        let odd: Vec<_> = odd.filter(|(letter, _)| used.contains(letter)).collect();
        assert_eq!(odd, []);
    }

    #[tokio::test]
    async fn random_definitions_agree_in_new_york() {
        super::random_definitions_agree(0).await;
    }

    #[tokio::test]
    async fn random_definitions_agree_in_berlin() {
        super::random_definitions_agree(1).await;
    }

    #[tokio::test]
    async fn random_definitions_agree_on_lord_howe() {
        super::random_definitions_agree(2).await;
    }

    #[tokio::test]
    async fn every_operator_of_every_field_agrees() {
        super::every_operator_of_every_field_agrees(1).await;
    }
}

/// A new field, type or operator has no case here until it is in the reference's own list.
#[test]
fn the_catalogue_and_the_reference_list_the_same() {
    let kinds = |kind: Kind| match kind {
        Kind::Text => Type::Text,
        Kind::Enum(choices, _) => Type::Enum(choices),
        Kind::Number => Type::Number,
        Kind::Boolean => Type::Boolean,
        Kind::Timestamp => Type::Timestamp,
        Kind::Date => Type::Date,
        Kind::Uuid => Type::Uuid,
        Kind::Tags => Type::Set,
        Kind::Segment => Type::Segment,
    };
    let same = |of: &str, listed: &[catalogue::Field], fields: fields::Fields| {
        let listed: Vec<_> = listed.iter().map(|field| (field.name, kinds(field.kind))).collect();
        assert_eq!(listed, fields, "{of}");
    };
    same("customer", catalogue::CUSTOMER, CUSTOMER);
    assert_eq!(catalogue::ENTITIES.len(), ENTITIES.len());
    for (entity, (name, _, fields)) in catalogue::ENTITIES.iter().zip(ENTITIES) {
        assert_eq!(entity.name, *name);
        same(name, entity.fields, fields);
    }
    for kind in Kind::ALL {
        let sorted = |mut operators: Vec<&'static str>| {
            operators.sort_unstable();
            operators
        };
        let listed = kind.operators().iter().map(|operator| operator.as_str()).collect();
        assert_eq!(sorted(listed), sorted(kinds(*kind).operators().to_vec()), "{kind:?}");
    }
}
