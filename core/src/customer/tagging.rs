//! Tags on and off many customers at once.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Result;

use super::check::Checks;

/// The most customers one call may tag.
pub const MAX_TAGGED: usize = 1_000;

/// The arguments of `crm_bulk_tag`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tagging {
    pub customer_ids: Vec<Uuid>,
    pub add: Option<Vec<String>>,
    pub remove: Option<Vec<String>>,
}

/// Names without repeats, none of them in both lists.
#[derive(Debug, Serialize)]
pub struct PreparedTagging {
    pub customer_ids: Vec<Uuid>,
    pub add: Vec<String>,
    pub remove: Vec<String>,
}

impl Tagging {
    pub fn prepare(self) -> Result<PreparedTagging> {
        let mut checks = Checks::default();
        if self.customer_ids.len() > MAX_TAGGED {
            let message = format!("at most {MAX_TAGGED} in one call");
            checks.fail("customer_ids", "too_many", message);
        }
        let add = checks.tags("add", self.add.unwrap_or_default());
        let remove = checks.tags("remove", self.remove.unwrap_or_default());
        for (index, name) in remove.iter().enumerate() {
            if add.iter().any(|added| added.to_lowercase() == name.to_lowercase()) {
                checks.fail(format!("remove[{index}]"), "contradiction", "is in add too");
            }
        }
        if add.is_empty() && remove.is_empty() {
            checks.fail("add", "required", "say which tags to add or to remove");
        }
        checks.finish()?;
        Ok(PreparedTagging { customer_ids: self.customer_ids, add, remove })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(ids: usize, add: &[&str], remove: &[&str]) -> Vec<String> {
        let names = |list: &[&str]| Some(list.iter().map(|name| (*name).to_owned()).collect());
        let tagging = Tagging {
            customer_ids: vec![Uuid::nil(); ids],
            add: names(add),
            remove: names(remove),
        };
        let errors = tagging.prepare().err().map(|error| error.errors).unwrap_or_default();
        errors.into_iter().map(|error| error.path).collect()
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        assert_eq!(paths(1_001, &["VIP"], &["old", "vip"]), ["customer_ids", "remove[1]"]);
        assert_eq!(paths(1, &[], &[" "]), ["add"]);
        assert_eq!(paths(1, &[&"x".repeat(101)], &[]), ["add[0]"]);
        assert!(paths(1_000, &["VIP"], &["old"]).is_empty());
    }
}
