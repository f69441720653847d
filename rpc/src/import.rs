//! Importing customers from flat rows.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use fieldcrm_core::import::{
    self, Change, Creation, Key, Known, MAX_ERRORS, Mode, Plan, Row, RowError,
};
use fieldcrm_core::{Capability, FieldError, Result, Session, patch};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::customer::country;
use crate::{Db, call_as, session};

const LOCK: &str = include_str!("../sql/import/lock.sql");
const MATCH: &str = include_str!("../sql/import/match.sql");
const CREATE: &str = include_str!("../sql/import/create.sql");
const COMPARE: &str = include_str!("../sql/import/compare.sql");
const CHANGE: &str = include_str!("../sql/import/change.sql");
const TAG: &str = include_str!("../sql/import/tag.sql");
const MAKE_TAGS: &str = include_str!("../sql/customer/make_tags.sql");

/// Customers a statement takes: enough that the triggers, once a statement, cost little, and few
/// enough that no plan made for the 100 rows Postgres expects goes wrong.
const CHUNK: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    rows: Vec<Value>,
    match_on: Option<Vec<Key>>,
    mode: Option<Mode>,
    dry_run: Option<bool>,
}

/// `crm_import_customers(rows, match_on, mode, dry_run)`: makes and changes customers of flat rows in
/// one transaction; rows with mistakes are left out and listed. The same rows again change nothing,
/// as long as they are matched on something.
pub async fn import<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersWrite])?;
    let given: Import = patch::read(arguments)?;
    let match_on = given.match_on.unwrap_or_else(|| Key::ALL.to_vec());
    let mode = given.mode.unwrap_or_default();
    let dry_run = given.dry_run == Some(true);
    let mut writer = Writer { db, caller: &caller, org_id, dry_run, tags: Vec::new() };
    let rows = given.rows.len();
    let (good, mut errors) = import::read(given.rows, country(&caller))?;
    let document = json!({"org_id": org_id});
    if !writer.dry_run {
        writer.db.call(LOCK, &document).await?;
    }
    let known = writer.known(&good).await?;
    let plan = import::plan(good, &known, &match_on, mode, country(&caller));
    let Plan { create, mut change, mut duplicates, mut skipped, errors: refused } = plan;
    errors.extend(refused);
    let tagged = create.iter().any(|one| !one.prepared.tags.is_empty());
    if tagged || change.iter().any(|one| !one.tags.is_empty()) {
        caller.require(&[Capability::TagsWrite])?;
    }
    let wanted = create.len();
    let late = writer.create(create).await?;
    let created = wanted - late.len();
    if !late.is_empty() {
        let late = writer.find_late(late, mode).await?;
        change.extend(late.change);
        errors.extend(late.errors);
        duplicates -= late.duplicates;
        skipped += late.skipped;
    }
    let matched = change.len();
    let updated = writer.change(&change).await?;
    writer.tag().await?;
    errors.sort_by_key(|error| error.row);
    let failed: HashSet<usize> = errors.iter().map(|error| error.row).collect();
    let errors_truncated = errors.len() > MAX_ERRORS;
    errors.truncate(MAX_ERRORS);
    Ok(json!({
        "rows": rows, "created": created, "updated": updated, "unchanged": matched - updated,
        "duplicates": duplicates, "skipped": skipped, "failed": failed.len(), "errors": errors,
        "errors_truncated": errors_truncated, "dry_run": writer.dry_run,
    }))
}

struct Writer<'a, D> {
    db: &'a mut D,
    caller: &'a Session,
    org_id: Uuid,
    dry_run: bool,
    /// What [`Self::tag`] has to do.
    tags: Vec<Tagging>,
}

#[derive(Serialize)]
struct Tagging {
    id: Uuid,
    tags: Vec<String>,
}

/// A row of what `import/compare.sql` answers.
#[derive(Serialize, Deserialize)]
struct Missing {
    id: Uuid,
    set: Value,
    preferences: Value,
    #[serde(skip_serializing)]
    contacts: Value,
    #[serde(skip_serializing)]
    locations: Value,
    #[serde(skip_serializing)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct Made {
    n: usize,
    id: Uuid,
}

/// The children, each saying whose it is and the how manieth.
fn placed(children: Value, key: &str, of: &Value) -> Vec<Value> {
    let Value::Array(mut children) = children else { return Vec::new() };
    for (index, child) in children.iter_mut().enumerate() {
        child[key] = of.clone();
        child["place"] = json!(index + 1);
    }
    children
}

impl<D: Db> Writer<'_, D> {
    async fn known(&mut self, rows: &[Row]) -> Result<Vec<Known>> {
        let mut known = Vec::new();
        for chunk in rows.chunks(CHUNK) {
            let mut keys: HashMap<Key, BTreeSet<&str>> = HashMap::new();
            for (key, value) in chunk.iter().flat_map(Row::keys) {
                keys.entry(key).or_default().insert(value);
            }
            let values = |key| keys.get(&key).into_iter().flatten().collect::<Vec<_>>();
            let document = json!({
                "org_id": self.org_id, "external_refs": values(Key::ExternalRef),
                "emails": values(Key::Email), "phones": values(Key::Phone),
            });
            let found: Option<Vec<Known>> = call_as(self.db, MATCH, &document).await?;
            known.extend(found.unwrap_or_default());
        }
        Ok(known)
    }

    /// Those whose `external_ref` another session took after [`Self::known`] looked.
    async fn create(&mut self, create: Vec<Creation>) -> Result<Vec<Creation>> {
        if self.dry_run {
            return Ok(Vec::new());
        }
        let mut made = HashMap::with_capacity(create.len());
        for chunk in create.chunks(CHUNK) {
            let children = |of: fn(&Creation) -> Value| -> Vec<Value> {
                chunk.iter().flat_map(|one| placed(of(one), "n", &json!(one.n))).collect()
            };
            let customers: Vec<_> = chunk
                .iter()
                .map(|one| json!({"n": one.n, "customer": one.prepared.customer, "preferences": one.prepared.preferences}))
                .collect();
            let document = json!({
                "org_id": self.org_id, "customers": customers,
                "contacts": children(|one| json!(one.prepared.contacts)),
                "locations": children(|one| json!(one.prepared.locations)),
            });
            let chunk: Vec<Made> = call_as(self.db, CREATE, &document).await?;
            made.extend(chunk.into_iter().map(|one| (one.n, one.id)));
        }
        let mut late = Vec::new();
        for one in create {
            match made.get(&one.n) {
                Some(id) => self.tags.push(Tagging { id: *id, tags: one.prepared.tags }),
                None => late.push(one),
            }
        }
        Ok(late)
    }

    /// Treats them as if they had been known from the start.
    async fn find_late(&mut self, late: Vec<Creation>, mode: Mode) -> Result<Plan> {
        let refs: Vec<_> = late.iter().map(|one| &one.prepared.customer.external_ref).collect();
        let document =
            json!({"org_id": self.org_id, "external_refs": refs, "emails": [], "phones": []});
        let found: Option<Vec<Known>> = call_as(self.db, MATCH, &document).await?;
        let found = found.unwrap_or_default();
        let mut plan = Plan::default();
        for one in late {
            let external_ref = one.prepared.customer.external_ref.as_deref();
            let owner = found.iter().find(|known| Some(known.value.as_str()) == external_ref);
            match owner.filter(|known| !known.retired) {
                Some(_) if mode == Mode::Create => {
                    plan.skipped += one.rows().len();
                    plan.duplicates += one.rows().len() - 1;
                }
                Some(known) => plan.change.push(one.into_change(known.id, known.r#type)),
                None => {
                    plan.duplicates += one.rows().len() - 1;
                    plan.errors.extend(one.rows().iter().map(|row| RowError {
                        row: *row,
                        field: FieldError::new(
                            "external_ref",
                            "duplicate_external_ref",
                            "another customer has this external_ref",
                        ),
                    }));
                }
            }
        }
        Ok(plan)
    }

    /// Writes what differs and says of how many customers something did.
    async fn change(&mut self, change: &[Change]) -> Result<usize> {
        let mut updated = 0;
        for chunk in change.chunks(CHUNK) {
            let document = json!({"org_id": self.org_id, "customers": chunk});
            let missing: Vec<Missing> = call_as(self.db, COMPARE, &document).await?;
            updated += missing.len();
            if !missing.is_empty() && !self.dry_run {
                let children = |of: fn(&Missing) -> &Value| -> Vec<Value> {
                    let placed = |one| placed(of(one).clone(), "customer_id", &json!(one.id));
                    missing.iter().flat_map(placed).collect()
                };
                let document = json!({
                    "org_id": self.org_id, "customers": missing,
                    "contacts": children(|one| &one.contacts),
                    "locations": children(|one| &one.locations),
                });
                self.db.call(CHANGE, &document).await?;
                self.tags
                    .extend(missing.into_iter().map(|one| Tagging { id: one.id, tags: one.tags }));
            }
        }
        Ok(updated)
    }

    /// Makes the tags that are unknown and gives each customer its own. Last, because others who make
    /// a customer and a tag do it in this order too, and must not wait for each other.
    async fn tag(&mut self) -> Result<()> {
        self.tags.retain(|one| !one.tags.is_empty());
        let mut names: BTreeMap<String, &str> = BTreeMap::new();
        for tag in self.tags.iter().flat_map(|one| &one.tags) {
            names.entry(tag.to_lowercase()).or_insert(tag);
        }
        if names.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = names.into_values().collect();
        self.db.call(MAKE_TAGS, &json!({"org_id": self.org_id, "tags": names})).await?;
        for chunk in self.tags.chunks(CHUNK) {
            let document = json!({
                "org_id": self.org_id, "user_id": self.caller.user_id, "customers": chunk,
            });
            self.db.call(TAG, &document).await?;
        }
        Ok(())
    }
}
