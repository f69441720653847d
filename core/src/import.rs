//! Importing customers from flat rows, as a CSV file gives them.
//!
//! [`read`] checks and normalises each row by the rules of `crm_create_customer`; [`plan`] decides
//! which rows are the same customer, in the file and with those that are known. Both are pure. Who
//! is who depends neither on the order of the rows nor on which of them have become customers already, so
//! the same file again changes nothing.

mod group;
mod plan;
mod row;

pub use plan::{Change, Creation, Known, Plan, plan};
pub use row::{COLUMNS, Row, read};

use serde::{Deserialize, Serialize};

use crate::FieldError;

/// The most rows one call may carry.
pub const MAX_ROWS: usize = 25_000;
/// The most errors an answer lists.
pub const MAX_ERRORS: usize = 1_000;

/// What a row is recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    ExternalRef,
    Email,
    Phone,
}

impl Key {
    pub const ALL: [Self; 3] = [Self::ExternalRef, Self::Email, Self::Phone];

    fn column(self) -> &'static str {
        match self {
            Self::ExternalRef => "external_ref",
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

/// Which customers an import may write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// New ones only.
    Create,
    /// Known ones only.
    Update,
    #[default]
    Both,
}

/// What is wrong with a row; `row` counts from 1, `path` is the column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowError {
    pub row: usize,
    #[serde(flatten)]
    pub field: FieldError,
}

impl RowError {
    fn new(row: usize, path: &str, code: &str, message: &str) -> Self {
        Self { row, field: FieldError::new(path, code, message) }
    }
}

#[cfg(test)]
mod repeat;
#[cfg(test)]
mod tests;
