//! The portal: what the customers of an org do themselves. Its RPCs run as the owner, since customers have no access to
//! the tables of staff; each begins with [`account`] and compares every row with what the account sees.

use fieldcrm_core::portal::Account;
use fieldcrm_core::{Code, Error, Result};
use serde_json::json;

use crate::{Db, call_as};

const ACCOUNT: &str = include_str!("../sql/portal/account.sql");

/// The caller's account, which has to be active.
pub async fn account(db: &mut impl Db) -> Result<Account> {
    let found: Option<Account> = call_as(db, ACCOUNT, &json!({})).await?;
    let hint = "Sign in with the account of a customer, or accept an invitation.";
    found.ok_or_else(|| Error::new(Code::NoMembership, hint))?.open()
}
