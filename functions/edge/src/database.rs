//! The database as edge functions see it: RPCs and tables over `PostgREST`, as the caller.

use async_trait::async_trait;
use fieldcrm_core::Result;
use serde_json::{Map, Value};

use crate::Caller;

mod back_end;
mod postgrest;
mod refusal;
mod watched;

pub use self::back_end::BackEnd;
pub use self::postgrest::PostgrestDatabase;
pub use self::watched::Watched;

/// One page of a table; every name in it is ours, every value is bound by `PostgREST`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    pub table: &'static str,
    pub columns: &'static str,
    /// Columns and what they must equal.
    pub equal: Vec<(&'static str, String)>,
    /// Columns and what they are otherwise compared with.
    pub compare: Vec<(&'static str, Comparison, String)>,
    /// `PostgREST`'s `order`; ends in a unique column, or pages would overlap.
    pub order: &'static str,
    pub limit: usize,
    pub offset: usize,
    /// Whether all matching rows are counted, which costs a scan of them.
    pub count: bool,
}

/// How a column compares with the value of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    AtLeast,
    Below,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub rows: Vec<Value>,
    /// All matching rows, if they were counted.
    pub total: Option<u64>,
}

#[async_trait]
pub trait Database: Send + Sync {
    /// Calls a function with named arguments.
    async fn rpc(
        &self,
        caller: &Caller,
        function: &'static str,
        arguments: Map<String, Value>,
    ) -> Result<Value>;

    /// Reads one page of a table.
    async fn select(&self, caller: &Caller, select: Select) -> Result<Page>;
}
