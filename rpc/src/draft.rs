//! What messages to a customer are written from.

use fieldcrm_core::ai::draft::{Facts, MessageContext, More};
use fieldcrm_core::{Capability, Error, Result, patch};
use serde_json::{Value, json};

use crate::{Db, call_as, session, suggestion};

const MORE: &str = include_str!("../sql/draft/more.sql");
const TEMPLATE: &str = include_str!("../sql/template/find.sql");

/// `crm_message_context(customer_id)`: {`org_id`, customer, org, user: as templates have them, facts}.
pub async fn context<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let customer_id = patch::read::<MessageContext>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::MessagesSend])?;
    let (known, _) = suggestion::facts(db, &caller, customer_id, true).await?;
    let key = json!({"org_id": org_id, "customer_id": customer_id, "user_id": caller.profile_id});
    let more: More = call_as(db, MORE, &key).await?;
    let key = json!({
        "org_id": org_id, "customer_id": customer_id, "profile_id": caller.profile_id,
        "template_id": null,
    });
    let mut template = db.call(TEMPLATE, &key).await?;
    let Value::Object(mut context) = template["facts"].take() else {
        return Err(Error::not_found("customer"));
    };
    context.insert("org_id".to_owned(), json!(org_id));
    context.insert("facts".to_owned(), json!(Facts::new(known, more)));
    Ok(Value::Object(context))
}
