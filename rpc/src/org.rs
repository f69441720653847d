//! Orgs: the tenants.

use fieldcrm_core::{Code, Error, Result, member, patch, phone};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Db, session};

const FIND_TIME_ZONE: &str = include_str!("../sql/org/find_time_zone.sql");
const CREATE: &str = include_str!("../sql/org/create.sql");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrg {
    name: String,
    time_zone: Option<String>,
    default_country: Option<String>,
    full_name: Option<String>,
}

/// `crm_create_org(name, time_zone, default_country, full_name)`: the signed-in caller, who belongs
/// to no org yet, becomes the owner of a new one.
pub async fn create<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let org: NewOrg = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let user_id = caller.user_id.ok_or_else(|| {
        Error::new(Code::Unauthenticated, "Send the access token of a signed-in user.")
    })?;
    let name = org.name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(Error::invalid_field("name", "required", "give 1 to 200 characters"));
    }
    let full_name = member::full_name(org.full_name.as_deref())?;
    let country = org.default_country.unwrap_or_else(|| "US".to_owned()).to_ascii_uppercase();
    if !phone::is_country(&country) {
        let message = "is not an ISO 3166-1 alpha-2 code such as US";
        return Err(Error::invalid_field("default_country", "invalid_country", message));
    }
    let time_zone = org.time_zone.unwrap_or_else(|| "UTC".to_owned());
    if db.call(FIND_TIME_ZONE, &json!({"time_zone": time_zone})).await?["known"] != true {
        let message = "is not an IANA time zone such as America/Chicago";
        return Err(Error::invalid_field("time_zone", "invalid_time_zone", message));
    }
    let made = db
        .call(
            CREATE,
            &json!({
                "user_id": user_id,
                "name": name,
                "time_zone": time_zone,
                "default_country": country,
                "full_name": full_name,
            }),
        )
        .await?;
    if made["created"] != true {
        // Also for a deactivated member: whoever deactivated them decides, not they.
        return Err(Error::new(Code::AlreadyMember, "A user belongs to one organisation."));
    }
    session::describe(db, json!({})).await
}
