//! Finding customers.

use std::cmp::Reverse;

use fieldcrm_core::cursor::Cursor;
use fieldcrm_core::customer::{LifecycleStage, PipelineStage, Status};
use fieldcrm_core::search::{self, Terms};
use fieldcrm_core::{Capability, Error, FieldError, Result, patch};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::customer::country;
use crate::{Db, call_as, session};

/// A statement of search: its input, where the candidates come from, and what is made of them.
macro_rules! statement {
    ($source:literal, $made:literal) => {
        concat!(
            include_str!("../sql/search/input.sql"),
            include_str!(concat!("../sql/search/", $source, ".sql")),
            include_str!("../sql/search/chosen.sql"),
            include_str!(concat!("../sql/search/", $made, ".sql")),
        )
    };
}

/// The candidates of a page, from new to old.
struct Source {
    page: &'static str,
    count: &'static str,
}

/// All customers of the org, the newest first, as deep as it is told.
const NEWEST: Source =
    Source { page: statement!("newest", "page"), count: statement!("newest", "count") };
/// Those whose text has the longest terms, by the trigram index.
const TEXT: Source =
    Source { page: statement!("text", "page"), count: statement!("text", "count") };
/// Those that carry the tag or are in the segment.
const GROUP: Source =
    Source { page: statement!("group", "page"), count: statement!("group", "count") };
/// Those that have the owner, the product, the status or the stage.
const COLUMN: Source =
    Source { page: statement!("column", "page"), count: statement!("column", "count") };

/// How many of the newest customers have the text of all terms.
const COUNT_SAMPLE: &str = include_str!("../sql/search/sample.sql");

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

/// So many of the newest customers say how common the terms are.
const SAMPLE: usize = 200;
/// How far that walk may go before it was a mistake.
const WALK: usize = 4_000;
/// How far it goes where there are no terms to count.
const GLANCE: usize = 400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    q: Option<String>,
    page_size: Option<usize>,
    cursor: Option<String>,
    count: Option<bool>,
    archived: Option<Archived>,
    status: Option<Status>,
    lifecycle_stage: Option<LifecycleStage>,
    pipeline_stage: Option<PipelineStage>,
    tag: Option<String>,
    segment_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    product_id: Option<Uuid>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Archived {
    #[default]
    False,
    True,
    Any,
}

/// What every statement of a search takes.
#[derive(Serialize)]
struct Document<'a> {
    org_id: Uuid,
    terms: &'a [String],
    at: Option<Value>,
    id: Option<Uuid>,
    limit: Option<usize>,
    depth: Option<usize>,
    archived: Option<bool>,
    status: Option<Status>,
    lifecycle_stage: Option<LifecycleStage>,
    pipeline_stage: Option<PipelineStage>,
    tag: Option<&'a str>,
    segment_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    product_id: Option<Uuid>,
}

/// `crm_search_customers(q, …)`: a page of customers, the newest first.
pub async fn search<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let search: Search = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersRead])?;
    let (readings, cursor, limit) = search.check(country(&caller))?;
    let mut customers = Vec::new();
    for terms in &readings {
        customers.extend(search.page(db, org_id, terms, cursor.as_ref(), limit).await?);
    }
    if readings.len() > 1 {
        customers = newest_first(customers)?;
    }
    let more = customers.len() > limit;
    customers.truncate(limit);
    let last = customers.last().filter(|_| more);
    let next_cursor = last.map(place).transpose()?.map(|place| place.encode());
    let total = match search.count {
        Some(true) => Some(search.total(db, org_id, &readings).await?),
        _ => None,
    };
    Ok(json!({"customers": customers, "next_cursor": next_cursor, "total": total}))
}

/// Whether walking from new to old fills a page before the index has returned all that has the
/// terms: with the share f of n customers the walk reads limit / f rows, the index f * n, each about
/// three times as dear. The factor is that of n = 50,000; at the border either will do.
fn is_common(sampled: usize, limit: usize) -> bool {
    5 * sampled * sampled >= limit
}

/// What the readings have found, each once. Each gave the first of its own, so that the first of
/// all are among them.
fn newest_first(customers: Vec<Value>) -> Result<Vec<Value>> {
    let mut placed = customers
        .into_iter()
        .map(|customer| Ok((place(&customer)?, customer)))
        .collect::<Result<Vec<_>>>()?;
    placed.sort_by_key(|(place, _)| Reverse((place.at, place.id)));
    placed.dedup_by_key(|(place, _)| place.id);
    Ok(placed.into_iter().map(|(_, customer)| customer).collect())
}

/// Where a customer stands in the order of the pages.
fn place(customer: &Value) -> Result<Cursor> {
    let at = customer["created_at"].as_str().and_then(|at| at.parse().ok());
    let id = customer["id"].as_str().and_then(|id| id.parse().ok());
    match (at, id) {
        (Some(at), Some(id)) => Ok(Cursor { at, id }),
        _ => Err(Error::internal("a customer without created_at and id")),
    }
}

impl Search {
    /// The readings of `q` (at least one), the cursor and the limit; or all that is wrong.
    fn check(&self, country: &str) -> Result<(Vec<Terms>, Option<Cursor>, usize)> {
        let mut errors = Vec::new();
        let readings = search::read(self.q.as_deref().unwrap_or_default(), country);
        let cursor = self.cursor.as_deref().map(|text| Cursor::decode("cursor", text)).transpose();
        let limit = self.page_size.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            let message = format!("expected a number from 1 to {MAX_LIMIT}");
            errors.push(FieldError::new("page_size", "out_of_range", message));
        }
        if self.tag.as_ref().is_some_and(|tag| tag.contains('\0')) {
            let message = "must not contain a NUL character";
            errors.push(FieldError::new("tag", "invalid_value", message));
        }
        match (readings, cursor) {
            (Ok(readings), Ok(cursor)) if errors.is_empty() => Ok((readings, cursor, limit)),
            (readings, cursor) => {
                errors.extend(readings.err().into_iter().flat_map(|error| error.errors));
                errors.extend(cursor.err().into_iter().flat_map(|error| error.errors));
                Err(Error::invalid(errors))
            }
        }
    }

    fn document<'a>(&'a self, org_id: Uuid, terms: &'a Terms) -> Document<'a> {
        Document {
            org_id,
            terms: &terms.0,
            at: None,
            id: None,
            limit: None,
            depth: None,
            archived: match self.archived.unwrap_or_default() {
                Archived::False => Some(false),
                Archived::True => Some(true),
                Archived::Any => None,
            },
            status: self.status,
            lifecycle_stage: self.lifecycle_stage,
            pipeline_stage: self.pipeline_stage,
            tag: self.tag.as_deref().map(str::trim),
            segment_id: self.segment_id,
            owner_id: self.owner_id,
            product_id: self.product_id,
        }
    }

    /// One customer more than `limit` if there are more.
    ///
    /// A sample of the newest customers decides where to look, not a planner's estimate: one that
    /// does not know the term is wrong about it by orders of magnitude.
    async fn page(
        &self,
        db: &mut impl Db,
        org_id: Uuid,
        terms: &Terms,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Vec<Value>> {
        let mut document = self.document(org_id, terms);
        document.at = cursor.map(|cursor| json!(cursor.at));
        document.id = cursor.map(|cursor| cursor.id);
        document.limit = Some(limit + 1);
        document.depth = if terms.are_indexable() {
            document.depth = Some(SAMPLE);
            let sampled: usize = call_as(db, COUNT_SAMPLE, &document).await?;
            is_common(sampled, limit).then_some(WALK)
        } else {
            Some(GLANCE)
        };
        if document.depth.is_some() {
            let found: Vec<Value> = call_as(db, NEWEST.page, &document).await?;
            if found.len() > limit {
                return Ok(found);
            }
        }
        document.depth = None;
        call_as(db, self.source(terms).page, &document).await
    }

    /// How many customers the readings find together: those that two of them find count once.
    async fn total(&self, db: &mut impl Db, org_id: Uuid, readings: &[Terms]) -> Result<i64> {
        let mut total = 0;
        for (index, terms) in readings.iter().enumerate() {
            total += self.count(db, org_id, terms).await?;
            for other in &readings[..index] {
                total -= self.count(db, org_id, &terms.and(other)).await?;
            }
        }
        Ok(total)
    }

    async fn count(&self, db: &mut impl Db, org_id: Uuid, terms: &Terms) -> Result<i64> {
        call_as(db, self.source(terms).count, &self.document(org_id, terms)).await
    }

    /// Where all that is wanted is found with the least to look at beside it.
    fn source(&self, terms: &Terms) -> &'static Source {
        let column = matches!(self.archived, Some(Archived::True))
            || self.status.is_some()
            || self.lifecycle_stage.is_some()
            || self.pipeline_stage.is_some()
            || self.owner_id.is_some()
            || self.product_id.is_some();
        if terms.are_indexable() {
            &TEXT
        } else if self.tag.is_some() || self.segment_id.is_some() {
            &GROUP
        } else if column {
            &COLUMN
        } else {
            &NEWEST
        }
    }
}
