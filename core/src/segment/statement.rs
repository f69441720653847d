//! What the compiler makes: text that nobody else can make, and the values that go with it.

use serde_json::{Value, json};

use super::compile::{ORG, ZONE};

/// A value of the statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// As it is.
    Value(String),
    /// An item that the database resolves, see `rpc/sql/segment/resolve.sql`.
    Resolve(Value),
}

/// SQL text that only the compiler makes. Its one parameter is a `jsonb`, its answer one `jsonb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement(String);

impl Statement {
    /// The template with `{matching}` replaced by the query for the ids of all customers of the org.
    #[must_use]
    pub fn of_everybody(template: &'static str) -> Self {
        let everybody = format!("select c.id from public.customers c where c.org_id = {ORG}");
        Self(template.replace("{matching}", &everybody))
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What asks the planner instead of running it.
    #[must_use]
    pub fn explain(&self) -> Self {
        Self(format!("explain (format json) {}", self.0))
    }
}

/// A compiled definition.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub(super) matching: String,
    pub(super) whole: String,
    pub(super) explained: String,
    pub(super) each: String,
    pub(super) those_who_match: String,
    pub(super) nodes: Vec<String>,
    pub(super) parameters: Vec<Parameter>,
}

impl Compiled {
    /// The template with `{matching}` replaced by the query for the ids of all matching customers.
    #[must_use]
    pub fn within(&self, template: &'static str) -> Statement {
        Statement(template.replace("{matching}", &self.matching))
    }

    /// [`Self::within`] with those of the archived customers too that the rules match.
    #[must_use]
    pub fn within_archived_too(&self, template: &'static str) -> Statement {
        Statement(template.replace("{matching}", &self.whole))
    }

    /// The query for the ids of all matching customers.
    #[must_use]
    pub fn matching(&self) -> &str {
        &self.matching
    }

    /// Why the customer `customer_id` of the parameter is in or out:
    /// `{matches, is_archived, nodes: [[result, actual], …]}` in the order of [`Self::nodes`].
    #[must_use]
    pub fn explained(&self) -> Statement {
        Statement(self.explained.clone())
    }

    /// What comes of the rules for each of the customers `customer_ids` of the parameter, matching or not, archived or not:
    /// `[[id, [[result], …]], …]`, each in the order of [`Self::nodes`].
    #[must_use]
    pub fn each(&self) -> Statement {
        Statement(self.each.clone())
    }

    /// Which of the customers `customer_ids` of the parameter match, archived or not, and why:
    /// `[[id, [[result, actual], …]], …]`, each in the order of [`Self::nodes`].
    #[must_use]
    pub fn those_who_match(&self) -> Statement {
        Statement(self.those_who_match.clone())
    }

    /// The paths of the rules and groups that are explained.
    #[must_use]
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The items to resolve, in their order.
    #[must_use]
    pub fn unresolved(&self) -> Vec<&Value> {
        self.parameters
            .iter()
            .filter_map(|parameter| match parameter {
                Parameter::Resolve(item) => Some(item),
                Parameter::Value(_) => None,
            })
            .collect()
    }

    /// Whether the time zone matters though there is nothing to resolve.
    #[must_use]
    pub fn needs_time_zone(&self) -> bool {
        self.explained.contains(ZONE)
    }

    /// The statement's parameter, given the org and what the items were resolved to.
    #[must_use]
    pub fn bind(&self, org_id: uuid::Uuid, time_zone: &str, resolved: &[Value]) -> Value {
        let mut resolved = resolved.iter();
        let values: Vec<_> = self
            .parameters
            .iter()
            .map(|parameter| match parameter {
                Parameter::Value(text) => json!(text),
                Parameter::Resolve(_) => resolved.next().cloned().unwrap_or_default(),
            })
            .collect();
        json!({"org_id": org_id, "time_zone": time_zone, "p": values})
    }
}
