//! Clients of an agency, and who may enter them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Result;
use crate::customer::{Checks, choices};
use crate::interaction::check_json;

choices! { ClientStatus { Active = "ACTIVE", Inactive = "INACTIVE", } }

/// The role of a member in a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientRole {
    Viewer,
    Member,
    Admin,
}

/// The most `contact_info` and `settings` can have as JSON text, in bytes.
pub const MAX_JSON: usize = 64 * 1024;

/// The arguments of `crm_create_client`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    pub name: Option<String>,
    pub description: Option<String>,
    pub status: Option<ClientStatus>,
    pub contact_info: Option<Value>,
    pub settings: Option<Value>,
    pub idempotency_key: Option<String>,
}

/// The columns of `clients` that a caller decides.
#[derive(Debug, Serialize)]
pub struct ClientRow {
    pub name: String,
    pub description: Option<String>,
    pub status: ClientStatus,
    pub contact_info: Value,
    pub settings: Value,
}

impl NewClient {
    pub fn prepare(self) -> Result<ClientRow> {
        let mut checks = Checks::default();
        let name = checks.required("name", self.name);
        let description = checks.notes("description", self.description);
        let mut object = |path: &str, given: Option<Value>| {
            let value = given.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
            check_json(&mut checks, path, &value, MAX_JSON);
            value
        };
        let contact_info = object("contact_info", self.contact_info);
        let settings = object("settings", self.settings);
        checks.finish()?;
        let status = self.status.unwrap_or(ClientStatus::Active);
        Ok(ClientRow { name, description, status, contact_info, settings })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::patch;

    #[test]
    fn a_client_needs_a_name_and_objects() {
        let row = patch::read::<NewClient>(json!({"name": " Acme "})).unwrap().prepare().unwrap();
        assert_eq!((row.name.as_str(), &row.settings), ("Acme", &json!({})));
        let wrong = json!({"name": " ", "contact_info": [], "settings": "x"});
        let error = patch::read::<NewClient>(wrong).unwrap().prepare().unwrap_err();
        let paths: Vec<_> = error.errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(paths, ["name", "contact_info", "settings"]);
    }

    #[test]
    fn the_roles_have_an_order() {
        assert!(ClientRole::Viewer < ClientRole::Member && ClientRole::Member < ClientRole::Admin);
    }
}
