//! A database whose calls are counted, and told to the log where they are slow.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fieldcrm_core::Result;
use serde_json::{Map, Value, json};
use web_time::Instant;

use super::{Database, Page, PostgrestDatabase, Select};
use crate::{Caller, Config, Log, log, metrics};

pub struct Watched<D> {
    database: D,
    log: Arc<dyn Log>,
    slow: Duration,
}

impl<D: Database> Watched<D> {
    #[must_use]
    pub fn new(database: D, log: Arc<dyn Log>, slow: Duration) -> Self {
        Self { database, log, slow }
    }

    /// `kind` is what `name` is the name of.
    async fn watch<T>(
        &self,
        caller: &Caller,
        kind: &str,
        name: &'static str,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let start = Instant::now();
        let answer = call.await;
        let took = start.elapsed();
        metrics::call(name, answer.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok"));
        if took > self.slow {
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            let facts = json!({"request_id": caller.request_id, kind: name, "ms": ms});
            log::event(self.log.as_ref(), "warn", "slow_call", facts);
        }
        answer
    }
}

impl Watched<PostgrestDatabase> {
    /// `PostgREST`, as the settings say.
    #[must_use]
    pub fn postgrest(config: &Config, log: Arc<dyn Log>) -> Self {
        Self::new(PostgrestDatabase::new(config), log, config.limits.slow_call)
    }
}

#[async_trait]
impl<D: Database> Database for Watched<D> {
    async fn rpc(
        &self,
        caller: &Caller,
        function: &'static str,
        arguments: Map<String, Value>,
    ) -> Result<Value> {
        self.watch(caller, "rpc", function, self.database.rpc(caller, function, arguments)).await
    }

    async fn select(&self, caller: &Caller, select: Select) -> Result<Page> {
        let table = select.table;
        self.watch(caller, "table", table, self.database.select(caller, select)).await
    }
}
