//! The driver over a Postgres connection.

use std::collections::HashMap;
use std::pin::Pin;

use fieldcrm_core::segment::Statement as Compiled;
use fieldcrm_core::{Code, Error, Result};
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::types::{Json, Type};
use tokio_postgres::{Client, GenericClient, Statement};

use crate::{Db, Work};

/// By the address of the static text, and by the text of what was compiled; statements stay prepared for
/// the life of the connection, as in the extension.
#[derive(Default)]
pub struct Prepared(HashMap<usize, Statement>, HashMap<String, Statement>);

/// A connection, or a transaction on one, whose role and claims are set.
pub struct TokioDb<'a, C> {
    pub client: &'a C,
    pub prepared: &'a mut Prepared,
}

/// [`crate::dispatch`] on a connection. The RPCs are compiled for it here, once, and not in each program that calls them.
pub fn dispatch<'a>(
    db: &'a mut TokioDb<'_, Client>,
    name: &'a str,
    arguments: Value,
) -> Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>> {
    Box::pin(crate::dispatch(db, name, arguments))
}

impl<C: GenericClient + Sync> Db for TokioDb<'_, C> {
    async fn call<I: Serialize + Sync>(
        &mut self,
        statement: &'static str,
        input: &I,
    ) -> Result<Value> {
        let key = statement.as_ptr().addr();
        let prepared = if let Some(known) = self.prepared.0.get(&key) {
            known.clone()
        } else {
            let made = self.client.prepare_typed(statement, &[Type::JSONB]).await;
            let made = made.map_err(|error| from_postgres(&error))?;
            self.prepared.0.insert(key, made.clone());
            made
        };
        let input =
            serde_json::to_value(input).map_err(|error| Error::internal(error.to_string()))?;
        let row = self.client.query_opt(&prepared, &[&Json(input)]).await;
        let row = row.map_err(|error| from_postgres(&error))?;
        let Some(row) = row else { return Ok(Value::Null) };
        // Postgres keeps numbers and depths that serde refuses.
        let output: Option<Value> =
            row.try_get(0).map_err(|error| Error::internal(error.to_string()))?;
        Ok(output.unwrap_or_default())
    }

    /// Without a name, the statement is planned for the values that come with it.
    async fn run<I: Serialize + Sync>(&mut self, statement: &Compiled, input: &I) -> Result<Value> {
        let input =
            serde_json::to_value(input).map_err(|error| Error::internal(error.to_string()))?;
        let rows = self.client.query_typed(statement.text(), &[(&Json(input), Type::JSONB)]).await;
        let rows = rows.map_err(|error| from_postgres(&error))?;
        Ok(rows.first().and_then(|row| row.get::<_, Option<Value>>(0)).unwrap_or_default())
    }

    async fn run_kept<I: Serialize + Sync>(
        &mut self,
        statement: &Compiled,
        input: &I,
    ) -> Result<Value> {
        let prepared = if let Some(known) = self.prepared.1.get(statement.text()) {
            known.clone()
        } else {
            let made = self.client.prepare_typed(statement.text(), &[Type::JSONB]).await;
            let made = made.map_err(|error| from_postgres(&error))?;
            self.prepared.1.insert(statement.text().to_owned(), made.clone());
            made
        };
        let input =
            serde_json::to_value(input).map_err(|error| Error::internal(error.to_string()))?;
        let row = self.client.query_opt(&prepared, &[&Json(input)]).await;
        let row = row.map_err(|error| from_postgres(&error))?;
        Ok(row.and_then(|row| row.get::<_, Option<Value>>(0)).unwrap_or_default())
    }

    /// Savepoints of one name may be nested: the innermost is meant.
    async fn attempt<W: Work<Self>>(&mut self, work: W) -> Result<W::Output> {
        command(self.client, "savepoint attempt").await?;
        let outcome = work.run(self).await;
        let after = match outcome {
            Ok(_) => "release attempt",
            Err(_) => "rollback to attempt; release attempt",
        };
        command(self.client, after).await?;
        outcome
    }
}

async fn command(client: &impl GenericClient, sql: &str) -> Result<()> {
    client.batch_execute(sql).await.map_err(|error| from_postgres(&error))
}

/// What the extension leaves to Postgres and PostgREST: standard SQLSTATEs.
fn from_postgres(error: &tokio_postgres::Error) -> Error {
    let Some(database) = error.as_db_error() else { return Error::internal(error.to_string()) };
    // What a trigger says in our words.
    let detail = database.detail().and_then(|text| serde_json::from_str(text).ok());
    let ours = detail
        .and_then(|detail: Value| Error::from_detail(&detail, database.hint().unwrap_or_default()));
    if let Some(ours) = ours {
        return ours;
    }
    let code = match database.code().code() {
        "42501" => Code::Forbidden,
        // Two at the same moment. PostgREST says 409 too.
        "23001" | "23503" | "23505" | "23P01" => Code::Conflict,
        "40001" | "40P01" | "57014" | "57P01" => Code::Unavailable,
        state if state.starts_with("22") || state.starts_with("23") => Code::InvalidArgument,
        _ => Code::Internal,
    };
    Error::new(code, database.message()).with("sqlstate", database.code().code())
}
