//! Working off a queue call by call, until it is empty or the time is over.

use std::time::Duration;

use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::{Caller, Database, Ports};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use web_time::Instant;

/// The time a call has.
#[derive(Clone, Copy)]
pub struct Budget {
    start: Instant,
    all: Duration,
}

impl Budget {
    pub fn start(all: Duration) -> Self {
        Self { start: Instant::now(), all }
    }

    pub fn is_over(self) -> bool {
        self.start.elapsed() >= self.all
    }
}

/// What the database keeps of an error.
const MAX_ERROR: usize = 500;

/// Calls an RPC that has an answer of that type.
pub async fn call<T: DeserializeOwned>(
    ports: &Ports,
    caller: &Caller,
    function: &'static str,
    arguments: Value,
) -> Result<T> {
    let Value::Object(arguments) = arguments else {
        return Err(Error::internal("arguments are an object"));
    };
    let answer = ports.database.rpc(caller, function, arguments).await?;
    serde_json::from_value(answer)
        .map_err(|_| Error::internal(format!("{function} answered something else")))
}

/// Why something failed, as the database keeps it.
pub fn reason(error: &Error) -> String {
    error.to_string().chars().filter(|letter| *letter != '\0').take(MAX_ERROR).collect()
}

/// What one RPC did in all its calls.
#[derive(Default)]
pub struct Total {
    pub counts: Map<String, Value>,
    /// Why it ended early; what was done before it stays done.
    pub error: Option<Error>,
}

/// Calls the RPC until it finds nothing to do any more. It always calls once: a queue that comes late in the list
/// is not to starve.
pub async fn drain(
    database: &dyn Database,
    caller: &Caller,
    function: &'static str,
    arguments: &Map<String, Value>,
    budget: Budget,
) -> Result<Total> {
    let mut total = Total::default();
    let mut arguments = arguments.clone();
    loop {
        match database.rpc(caller, function, arguments.clone()).await {
            Ok(answer) => {
                if add(&mut total.counts, &answer) == 0 || budget.is_over() {
                    return Ok(total);
                }
            }
            // Who may not call this may call none of them.
            Err(error) if matches!(error.code, Code::Forbidden | Code::Unauthenticated) => {
                return Err(error);
            }
            // Too much at once, it may be: less, before the next tick meets the same.
            Err(error)
                if error.code == Code::Unavailable
                    && !budget.is_over()
                    && shrink(&mut arguments) => {}
            Err(error) => {
                total.error = Some(error);
                return Ok(total);
            }
        }
    }
}

/// Asks for a quarter of the batch, if that is less.
fn shrink(arguments: &mut Map<String, Value>) -> bool {
    let before = arguments.get("batch_limit").and_then(Value::as_u64).unwrap_or(100);
    arguments.insert("batch_limit".to_owned(), (before / 4).max(1).into());
    before > 1
}

/// Adds up what an answer counts, the lists by their lengths. Returns how much of it there was.
fn add(total: &mut Map<String, Value>, answer: &Value) -> u64 {
    let mut done = 0;
    for (key, value) in answer.as_object().into_iter().flatten() {
        let count = match value {
            Value::Number(count) => count.as_u64().unwrap_or_default(),
            Value::Array(list) => list.len() as u64,
            _ => continue,
        };
        let before = total.get(key).and_then(Value::as_u64).unwrap_or_default();
        total.insert(key.clone(), (before + count).into());
        done += count;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_lists_are_added_up_and_the_rest_is_left_out() {
        let mut total = Map::new();
        assert_eq!(
            add(&mut total, &json!({"runs": 2, "failed": 0, "segments": [{}, {}], "x": "y"})),
            4
        );
        assert_eq!(add(&mut total, &json!({"runs": 1, "failed": 1, "segments": []})), 2);
        assert_eq!(add(&mut total, &json!({"runs": 0, "segments": []})), 0);
        assert_eq!(add(&mut total, &json!(null)), 0);
        assert_eq!(Value::Object(total), json!({"runs": 3, "failed": 1, "segments": 2}));
    }
}
