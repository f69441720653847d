//! Customers: what a client may send, what it is checked for, and what is stored.
//!
//! [`NewCustomer`] and [`CustomerPatch`] are the arguments of `crm_create_customer` and
//! `crm_update_customer`; `prepare` turns them into the document their SQL statements take.

mod change;
mod check;
mod input;
pub mod merge;
mod prepare;
mod tagging;

pub(crate) use check::Checks;
pub(crate) use input::{choices, present_time};

pub use change::{PreparedChildren, PreparedPatch};
pub use input::{
    ContactPatch, ContactType, CustomerPatch, CustomerType, LifecycleStage, LocationPatch,
    LocationType, NewContact, NewCustomer, NewLocation, PipelineStage, Preferences, Status,
};
pub(crate) use prepare::location_row;
pub use prepare::{ContactRow, LocationRow, PreparedCustomer};
pub use tagging::{MAX_TAGGED, PreparedTagging, Tagging};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Result, patch};

/// Reads a [`NewCustomer`] or a [`CustomerPatch`], whose children must be objects too.
pub fn read<T: DeserializeOwned>(input: Value) -> Result<T> {
    for key in ["contacts", "locations"] {
        for (index, child) in input[key].as_array().into_iter().flatten().enumerate() {
            patch::require_object(&format!("{key}[{index}]"), child)?;
        }
    }
    if input["preferences"].is_array() {
        patch::require_object("preferences", &input["preferences"])?;
    }
    patch::read(input)
}

/// The most contacts, locations or tags one call may carry.
pub const MAX_CHILDREN: usize = 50;
/// The most characters a name, a label or an address line can have.
pub const MAX_NAME: usize = 200;
/// The most characters a tag's name can have.
pub const MAX_TAG: usize = 100;
/// The most characters notes can have.
pub const MAX_NOTES: usize = 20_000;

#[cfg(test)]
mod tests;
