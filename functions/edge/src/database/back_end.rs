//! The database as the back end asks it, with the service key: for what no user may do themselves.

use std::sync::Arc;

use fieldcrm_core::{Code, Error, Result};
use serde_json::Value;

use super::{Database, Watched};
use crate::{Caller, Config, Log};

#[derive(Clone)]
pub struct BackEnd {
    key: Option<String>,
    database: Arc<dyn Database>,
}

impl BackEnd {
    /// Without a key every call is refused.
    #[must_use]
    pub fn new(key: Option<String>, database: Arc<dyn Database>) -> Self {
        Self { key, database }
    }

    /// `SUPABASE_SERVICE_ROLE_KEY`, which Supabase sets for every function.
    #[must_use]
    pub fn read(
        config: &Config,
        variable: &dyn Fn(&str) -> Option<String>,
        log: Arc<dyn Log>,
    ) -> Self {
        let plain =
            |key: &String| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        let key =
            variable("SUPABASE_SERVICE_ROLE_KEY").map(|key| key.trim().to_owned()).filter(plain);
        // Where keys are not JWTs, the gateway reads it in `apikey`.
        let publishable_key = key.clone().unwrap_or_default();
        let database = Watched::postgrest(&Config { publishable_key, ..config.clone() }, log);
        Self::new(key, Arc::new(database))
    }

    pub fn key(&self) -> Result<&str> {
        let missing = || Error::new(Code::Unavailable, "SUPABASE_SERVICE_ROLE_KEY is not set");
        self.key.as_deref().ok_or_else(missing)
    }

    /// Calls an RPC on behalf of a caller who may not call it.
    pub async fn rpc(
        &self,
        caller: &Caller,
        name: &'static str,
        arguments: Value,
    ) -> Result<Value> {
        let authorization = Some(format!("Bearer {}", self.key()?));
        let caller = Caller { authorization, ..caller.clone() };
        let Value::Object(arguments) = arguments else {
            return Err(Error::internal("no arguments"));
        };
        self.database.rpc(&caller, name, arguments).await
    }
}
