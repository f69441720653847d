//! The portal: what the customers of an org do themselves. Its RPCs run as the owner, since customers have no access to
//! the tables of staff; each begins with [`account`] and compares every row with what the account sees.

use fieldcrm_core::portal::Account;
use fieldcrm_core::{Code, Error, Result};
use serde_json::{Value, json};

use crate::{Db, call_as, session};

const ACCOUNT: &str = include_str!("../sql/portal/account.sql");
const AUDIT: &str = include_str!("../sql/portal/audit.sql");

/// The caller's account, which has to be active.
pub async fn account(db: &mut impl Db) -> Result<Account> {
    if let Some(account) = call_as::<Option<Account>>(db, ACCOUNT, &json!({})).await? {
        return account.open();
    }
    if session::current(db).await?.user_id.is_none() {
        return Err(Error::new(Code::Unauthenticated, "Sign in to the portal."));
    }
    let hint = "Sign in with the account of a customer, or accept an invitation.";
    Err(Error::new(Code::NoMembership, hint))
}

/// Writes down what the owner of an account did; the payload is null or an object without what people wrote.
pub(crate) async fn audit(
    db: &mut impl Db,
    account: &Account,
    event_type: &str,
    payload: Value,
) -> Result<()> {
    let event = json!({"org_id": account.org_id, "portal_account_id": account.id, "event_type": event_type,
        "payload": payload});
    db.call(AUDIT, &event).await.map(drop)
}
