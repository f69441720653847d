//! The port to Postgres.

use std::future::Future;

use fieldcrm_core::segment::Statement;
use fieldcrm_core::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A database session in a transaction.
pub trait Db {
    /// Runs a statement that takes one `jsonb` as `$1` and returns one row with one `jsonb`; no
    /// row and SQL null are [`Value::Null`]. The statement is static text: drivers prepare it once
    /// and keep it.
    fn call<I: Serialize + Sync>(
        &mut self,
        statement: &'static str,
        input: &I,
    ) -> impl Future<Output = Result<Value>>;

    /// Runs a compiled statement, planned for this input. It takes one `jsonb` as `$1` and returns one
    /// row with one `jsonb` or `json`; no row and SQL null are [`Value::Null`].
    fn run<I: Serialize + Sync>(
        &mut self,
        statement: &Statement,
        input: &I,
    ) -> impl Future<Output = Result<Value>>;

    /// [`Self::run`] with a plan for any input, which drivers may keep: for a question that is asked
    /// again and again and whose rows an index finds.
    fn run_kept<I: Serialize + Sync>(
        &mut self,
        statement: &Statement,
        input: &I,
    ) -> impl Future<Output = Result<Value>>;

    /// Does the work in a subtransaction: an error takes back what it wrote, and the transaction goes on.
    /// What another try may well do ([`Code::Unavailable`]: a deadlock, a canceled query) is for the
    /// caller to hand on.
    ///
    /// [`Code::Unavailable`]: fieldcrm_core::Code::Unavailable
    fn attempt<W: Work<Self>>(&mut self, work: W) -> impl Future<Output = Result<W::Output>>
    where
        Self: Sized;
}

/// What [`Db::attempt`] does. A trait and not a closure: of an async closure that borrows, the compiler cannot see
/// that it may be sent to another thread.
pub trait Work<D> {
    type Output;

    fn run(self, db: &mut D) -> impl Future<Output = Result<Self::Output>>;
}

/// Whose rights the statements of an RPC have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunsAs {
    /// The caller's, under RLS.
    Caller,
    /// The owner's: the RPC checks the caller itself. Listed in docs/security.md.
    Owner,
}

/// [`Db::call`] with a typed answer.
pub async fn call_as<T: DeserializeOwned>(
    db: &mut impl Db,
    statement: &'static str,
    input: &(impl Serialize + Sync),
) -> Result<T> {
    let output = db.call(statement, input).await?;
    serde_json::from_value(output)
        .map_err(|error| Error::internal(format!("unexpected answer of a statement: {error}")))
}
