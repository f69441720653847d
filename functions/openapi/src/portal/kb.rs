//! `/portal/kb`

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde_json::json;

use crate::choice::{Cursor, Limit, schemas};
use crate::document::Operation;

schemas! {
    SearchLimit = json!({"type": "integer", "minimum": 1, "maximum": 20, "default": 5});
    SearchMode = json!({"type": "string", "enum": ["text", "hybrid"]});
    NotEmpty = json!({"type": "string", "minLength": 1});
    Question = json!({"type": "string", "minLength": 1, "maxLength": 500});
}

#[derive(JsonSchema)]
pub struct Articles {
    pub articles: Vec<ListedArticle>,
    /// Null on the last page.
    pub next_cursor: Option<String>,
}

#[derive(JsonSchema)]
pub struct ListedArticle {
    pub slug: String,
    pub title: String,
    pub category: Option<String>,
    pub tags: Vec<String>,
    /// For all orgs.
    pub is_global: bool,
    /// For who is not signed in too.
    pub is_public: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct Article {
    #[serde(flatten)]
    pub listed: ListedArticle,
    /// May hold HTML: clean what you show.
    pub body_markdown: String,
}

#[derive(JsonSchema)]
pub struct Found {
    /// hybrid: by words and by meaning.
    pub mode: SearchMode,
    /// The best first.
    pub results: Vec<FoundArticle>,
}

#[derive(JsonSchema)]
pub struct FoundArticle {
    pub slug: String,
    pub title: String,
    pub category: Option<String>,
    pub is_global: bool,
    pub is_public: bool,
    pub chunk_index: i64,
    pub heading: Option<String>,
    pub excerpt: String,
    /// The whole piece, text without markup.
    pub content: String,
    pub score: f64,
    /// Cosine; null where words alone found it.
    pub similarity: Option<f64>,
}

const ORG: &str = "The slug of the company's portal, for who is not signed in.";

pub fn operations() -> Vec<Operation> {
    let all = vec![
        Operation::get(
            "/portal/kb/articles",
            "listArticles",
            "Lists help articles, the newest first",
        )
        .query::<NotEmpty>("org", ORG)
        .query::<NotEmpty>("category", "Only of it.")
        .query::<Limit>("limit", "How many at most.")
        .query::<Cursor>("cursor", "The next_cursor of the page before.")
        .ok::<Articles>("The page."),
        Operation::get("/portal/kb/articles/{slug}", "getArticle", "Shows a help article")
            .path_parameter::<NotEmpty>("slug", "Of the article.")
            .query::<NotEmpty>("org", ORG)
            .ok::<Article>("The article."),
        Operation::get("/portal/kb/search", "searchArticles", "Finds help articles")
            .required_query::<Question>("q", "The question.")
            .query::<NotEmpty>("org", ORG)
            .query::<NotEmpty>("category", "Only of it.")
            .query::<SearchLimit>("limit", "How many at most.")
            .ok::<Found>("The best first."),
    ];
    // Who is signed in sees their own company's.
    all.into_iter().map(|operation| operation.fails(&[404]).or_anonymous()).collect()
}
