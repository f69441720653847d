//! What callers may ask of the knowledge base, and what the job may hand in.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{DIMENSIONS, MAX_CHUNKS, is_usable};
use crate::Result;
use crate::customer::Checks;

/// The most characters of a question.
pub const MAX_QUERY: usize = 500;
/// The most characters of the name of an embedding model.
pub const MAX_MODEL: usize = 200;
const MAX_SLUG: usize = 120;
const MAX_CATEGORY: usize = 60;
const DEFAULT_FOUND: i64 = 5;
const MAX_FOUND: i64 = 20;
const DEFAULT_PAGE: i64 = 50;
const MAX_PAGE: i64 = 100;
/// What the table takes.
const MAX_CONTENT: usize = 20_000;
const MAX_HEADING: usize = 500;

/// The arguments of `kb_search`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Search {
    pub query: String,
    /// The question's embedding, and the model that made it; without them the words alone decide.
    pub embedding: Option<Vec<f32>>,
    pub model: Option<String>,
    /// Of the org's portal; without it, the caller's org.
    pub slug: Option<String>,
    pub category: Option<String>,
    pub page_size: Option<i64>,
}

impl Search {
    pub fn prepare(mut self) -> Result<Self> {
        let mut checks = Checks::default();
        let asked = checks.text("query", Some(self.query), MAX_QUERY);
        self.query = asked.unwrap_or_else(|| {
            checks.fail("query", "required", "say what you are looking for");
            String::new()
        });
        if let Some(embedding) = &self.embedding {
            if embedding.len() != DIMENSIONS {
                let message = format!("expected {DIMENSIONS} numbers");
                checks.fail("embedding", "invalid_value", message);
            }
            if self.model.is_none() {
                checks.fail("model", "required", "say which model made the embedding");
            }
        }
        self.model = self.model.and_then(|model| check_model(&mut checks, model));
        // A question without a word that counts.
        self.embedding = self.embedding.filter(|embedding| is_usable(embedding));
        check_slug(&mut checks, "slug", self.slug.as_deref());
        check_category(&mut checks, self.category.as_deref());
        self.page_size = Some(page_size(&mut checks, self.page_size, DEFAULT_FOUND, MAX_FOUND));
        checks.finish()?;
        Ok(self)
    }
}

/// The arguments of `kb_list_articles`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListArticles {
    pub slug: Option<String>,
    pub category: Option<String>,
    pub page_size: Option<i64>,
    pub cursor: Option<String>,
}

impl ListArticles {
    /// The arguments and the size of the page.
    pub fn prepare(self) -> Result<(Self, i64)> {
        let mut checks = Checks::default();
        check_slug(&mut checks, "slug", self.slug.as_deref());
        check_category(&mut checks, self.category.as_deref());
        let size = page_size(&mut checks, self.page_size, DEFAULT_PAGE, MAX_PAGE);
        checks.finish()?;
        Ok((self, size))
    }
}

/// The arguments of `kb_get_article`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetArticle {
    pub article_slug: String,
    #[serde(default)]
    pub slug: Option<String>,
}

impl GetArticle {
    pub fn prepare(self) -> Result<Self> {
        let mut checks = Checks::default();
        check_slug(&mut checks, "article_slug", Some(&self.article_slug));
        check_slug(&mut checks, "slug", self.slug.as_deref());
        checks.finish()?;
        Ok(self)
    }
}

/// The arguments of `crm_claim_kb_articles`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimArticles {
    pub model: String,
    #[serde(default)]
    pub batch_limit: Option<i64>,
    /// The last article of the claim before: one that cannot be embedded keeps no other waiting.
    #[serde(default)]
    pub after: Option<Uuid>,
}

impl ClaimArticles {
    /// The model, the limit and where to go on.
    pub fn prepare(self) -> Result<(String, i64, Option<Uuid>)> {
        let mut checks = Checks::default();
        let model = check_model(&mut checks, self.model);
        let limit = page_size_named(&mut checks, "batch_limit", self.batch_limit, 20, 100);
        checks.finish()?;
        Ok((model.unwrap_or_default(), limit, self.after))
    }
}

/// The arguments of `crm_store_kb_chunks`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StoreChunks {
    pub article_id: Uuid,
    /// Of the text that was cut: if it is another by now, nothing is stored.
    pub version: i64,
    pub model: String,
    pub chunks: Vec<StoredChunk>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StoredChunk {
    pub index: i64,
    #[serde(default)]
    pub heading: Option<String>,
    pub content: String,
    pub embedding: Vec<f32>,
}

impl StoreChunks {
    pub fn prepare(mut self) -> Result<Self> {
        let mut checks = Checks::default();
        self.model = check_model(&mut checks, self.model).unwrap_or_default();
        if self.chunks.len() > MAX_CHUNKS {
            checks.fail("chunks", "too_many", format!("at most {MAX_CHUNKS}"));
        }
        for (place, chunk) in self.chunks.iter().take(MAX_CHUNKS).enumerate() {
            let path = |field: &str| format!("chunks[{place}].{field}");
            if i64::try_from(place) != Ok(chunk.index) {
                checks.fail(path("index"), "invalid_value", "counts from 0, one by one");
            }
            let texts = [
                ("heading", chunk.heading.as_deref(), MAX_HEADING),
                ("content", Some(&*chunk.content), MAX_CONTENT),
            ];
            for (field, text, most) in texts {
                let Some(text) = text else { continue };
                if text.chars().count() > most {
                    checks.fail(path(field), "too_long", format!("at most {most} characters"));
                }
                if text.contains('\0') {
                    checks.fail(path(field), "invalid_value", "must not contain a NUL character");
                }
            }
            // A text of stop words has zeros from the builtin model: the words find it.
            let zeros = chunk.embedding.iter().all(|value| *value == 0.0);
            if chunk.embedding.len() != DIMENSIONS || !(zeros || is_usable(&chunk.embedding)) {
                let message = format!("expected {DIMENSIONS} numbers");
                checks.fail(path("embedding"), "invalid_value", message);
            }
        }
        checks.finish()?;
        Ok(self)
    }
}

fn check_model(checks: &mut Checks, model: String) -> Option<String> {
    let model = checks.text("model", Some(model), MAX_MODEL);
    if model.is_none() {
        checks.fail("model", "required", "must not be empty");
    }
    model
}

fn check_slug(checks: &mut Checks, path: &str, slug: Option<&str>) {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if slug.is_some_and(|slug| !(1..=MAX_SLUG).contains(&slug.len()) || !slug.bytes().all(letters))
    {
        checks.fail(path, "invalid_value", "expected small letters, digits and hyphens");
    }
}

fn check_category(checks: &mut Checks, category: Option<&str>) {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if category
        .is_some_and(|name| !(1..=MAX_CATEGORY).contains(&name.len()) || !name.bytes().all(letters))
    {
        checks.fail("category", "invalid_value", "expected small letters, digits and underscores");
    }
}

fn page_size(checks: &mut Checks, given: Option<i64>, usual: i64, most: i64) -> i64 {
    page_size_named(checks, "page_size", given, usual, most)
}

fn page_size_named(
    checks: &mut Checks,
    path: &str,
    given: Option<i64>,
    usual: i64,
    most: i64,
) -> i64 {
    let size = given.unwrap_or(usual);
    if !(1..=most).contains(&size) {
        checks.fail(path, "out_of_range", format!("expected a number from 1 to {most}"));
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(error: crate::Error) -> Vec<String> {
        error.errors.into_iter().map(|error| error.path).collect()
    }

    #[test]
    fn everything_wrong_with_a_question_is_said_at_once() {
        let search = Search {
            query: " ".to_owned(),
            embedding: Some(vec![1.0; 3]),
            slug: Some("No".to_owned()),
            category: Some("a-b".to_owned()),
            page_size: Some(21),
            ..Search::default()
        };
        let wrong = paths(search.prepare().unwrap_err());
        assert_eq!(wrong, ["query", "embedding", "model", "slug", "category", "page_size"]);
        let long = Search { query: "x".repeat(MAX_QUERY + 1), ..Search::default() };
        assert_eq!(paths(long.prepare().unwrap_err()), ["query"]);
    }

    #[test]
    fn an_embedding_of_nothing_is_none() {
        let search = Search {
            query: "the".to_owned(),
            embedding: Some(vec![0.0; DIMENSIONS]),
            model: Some("m".to_owned()),
            ..Search::default()
        };
        assert_eq!(search.prepare().unwrap().embedding, None);
    }

    #[test]
    fn pieces_are_counted_and_complete() {
        let chunk = |index, numbers| StoredChunk {
            index,
            heading: None,
            content: "x".to_owned(),
            embedding: vec![0.5; numbers],
        };
        let store = |chunks| StoreChunks {
            article_id: Uuid::nil(),
            version: 1,
            model: "m".to_owned(),
            chunks,
        };
        assert!(store(vec![chunk(0, DIMENSIONS), chunk(1, DIMENSIONS)]).prepare().is_ok());
        let wrong = store(vec![chunk(0, 3), chunk(2, DIMENSIONS)]).prepare().unwrap_err();
        assert_eq!(paths(wrong), ["chunks[0].embedding", "chunks[1].index"]);
    }
}
