//! [`Database`] over HTTP, with the caller's own token.

use std::time::Duration;

use ::postgrest::{Builder, Postgrest};
use async_trait::async_trait;
use fieldcrm_core::{Code, Error, Result};
use serde_json::{Map, Value};

use super::refusal::refusal;
use super::{Comparison, Database, Page, Select};
use crate::{Caller, Config};

/// A caller gives up about then; whatever the database still does, its own time-out ends.
const TIMEOUT: Duration = Duration::from_secs(10);

pub struct PostgrestDatabase {
    client: Postgrest,
}

impl PostgrestDatabase {
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let client = Postgrest::new(format!("{}/rest/v1", config.supabase_url))
            .insert_header("apikey", &config.publishable_key);
        Self { client }
    }

    /// `insert_header` panics on what no header can hold; [`Caller`] and [`Config`] let none through.
    fn as_caller(&self, caller: &Caller) -> Postgrest {
        let mut client = self.client.clone().insert_header("x-request-id", &caller.request_id);
        for (name, value) in [
            ("authorization", &caller.authorization),
            ("x-forwarded-for", &caller.forwarded_for),
            ("user-agent", &caller.user_agent),
        ] {
            if let Some(value) = value {
                client = client.insert_header(name, value);
            }
        }
        client
    }
}

#[async_trait]
impl Database for PostgrestDatabase {
    async fn rpc(
        &self,
        caller: &Caller,
        function: &'static str,
        arguments: Map<String, Value>,
    ) -> Result<Value> {
        let call = self.as_caller(caller).rpc(function, Value::Object(arguments).to_string());
        json(&send(call).await?.accepted()?.body)
    }

    async fn select(&self, caller: &Caller, select: Select) -> Result<Page> {
        let last = select.offset.saturating_add(select.limit).saturating_sub(1);
        let mut query =
            self.as_caller(caller).from(select.table).select(select.columns).order(select.order);
        for (column, value) in select.equal {
            query = query.eq(column, value);
        }
        for (column, comparison, value) in select.compare {
            query = match comparison {
                Comparison::AtLeast => query.gte(column, value),
                Comparison::Below => query.lt(column, value),
            };
        }
        if select.count {
            // Before `range`: it asks for one row only.
            query = query.exact_count();
        }
        let answer = send(query.range(select.offset, last)).await?;
        // An offset past the end is an empty page, not an error.
        if answer.status == 416 {
            return Ok(Page { rows: Vec::new(), total: answer.total });
        }
        let answer = answer.accepted()?;
        Ok(Page { rows: json(&answer.body)?, total: answer.total })
    }
}

struct Answer {
    status: u16,
    /// The `n` of `content-range: 0-49/n`.
    total: Option<u64>,
    body: Vec<u8>,
}

impl Answer {
    fn accepted(self) -> Result<Self> {
        match self.status {
            200..=299 => Ok(self),
            status => Err(refusal(status, &self.body)),
        }
    }
}

fn json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|_| Error::internal("the database answered without JSON"))
}

fn no_answer() -> Error {
    Error::new(Code::Unavailable, "the database could not be reached")
}

#[cfg(not(target_arch = "wasm32"))]
async fn send(request: Builder) -> Result<Answer> {
    let response = request.build().timeout(TIMEOUT).send().await.map_err(|_| no_answer())?;
    let (status, total) =
        (response.status().as_u16(), total(response.headers().get("content-range")));
    let body = response.bytes().await.map_err(|_| no_answer())?;
    Ok(Answer { status, total, body: body.to_vec() })
}

/// `fetch` has no time-out of its own; dropping the request aborts it.
#[cfg(target_arch = "wasm32")]
async fn send(request: Builder) -> Result<Answer> {
    use futures_util::future::{Either, select};

    send_wrapper::SendWrapper::new(async move {
        let exchange = std::pin::pin!(async move {
            let response = request.execute().await.map_err(|_| no_answer())?;
            let status = response.status().as_u16();
            let total = total(response.headers().get("content-range"));
            let body = response.bytes().await.map_err(|_| no_answer())?;
            Ok(Answer { status, total, body: body.to_vec() })
        });
        match select(exchange, gloo_timers::future::sleep(TIMEOUT)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(no_answer()),
        }
    })
    .await
}

/// Generic because `postgrest` speaks an older `http` than axum.
fn total<V: AsRef<[u8]>>(content_range: Option<V>) -> Option<u64> {
    let range = content_range?;
    std::str::from_utf8(range.as_ref()).ok()?.rsplit_once('/')?.1.parse().ok()
}
