//! Pages of lists.

use schemars::JsonSchema;

use crate::choice::{Count, Cursor, Limit, Offset};
use crate::document::Operation;

/// A page by its place.
#[derive(JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    pub data: Vec<T>,
    pub limit: i64,
    pub offset: i64,
    /// How many there are, where count=exact asked for it.
    pub total: Option<i64>,
}

/// A page that the next one begins behind.
#[derive(JsonSchema)]
#[schemars(rename = "ItemsOf{T}")]
pub struct Items<T> {
    pub items: Vec<T>,
    /// Null on the last page.
    pub next_cursor: Option<String>,
}

impl Operation {
    /// Takes `limit`, `offset` and `count`.
    pub fn paged(self) -> Self {
        self.query::<Limit>("limit", "How many rows at most.")
            .query::<Offset>("offset", "How many rows to leave out.")
            .query::<Count>("count", "exact: say in total how many there are.")
    }

    /// Takes `limit` and `cursor`.
    pub fn by_cursor(self) -> Self {
        self.query::<Limit>("limit", "How many at most.")
            .query::<Cursor>("cursor", "The next_cursor of the page before.")
    }
}
