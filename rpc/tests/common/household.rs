//! Customers of northwind.example who sign in to the portal.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{As, Context, NORTHWIND};

/// A customer with two places, and the login of its portal account.
pub struct Household {
    pub customer: Uuid,
    pub places: [Uuid; 2],
    pub login: Uuid,
    pub account: Uuid,
}

impl Household {
    pub const fn user(&self) -> As {
        As::User(self.login)
    }
}

pub async fn id(context: &Context, sql: &str) -> Uuid {
    context.client.query_one(sql, &[]).await.unwrap().get(0)
}

/// A customer with an active account whose owner signs in with the first contact.
pub async fn household(context: &mut Context, name: &str) -> Household {
    let made = context
        .call(
            As::Northwind("csr"),
            "crm_create_customer",
            json!({"type": "individual", "first_name": name, "last_name": "Field", "status": "active",
                "notes": "canary-notes", "email": format!("{name}@home.example"),
                "contacts": [{"type": "mobile", "value": "+14155550100"}],
                "locations": [
                    {"label": "Home", "address_line1": "1 Main Street", "city": "Springfield", "is_primary": true},
                    {"label": "Shop", "address_line1": "2 Market Street", "city": "Springfield"}]}),
        )
        .await
        .unwrap();
    let customer: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let place = |label: &str| {
        format!(
            "select id from customer_locations where customer_id = '{customer}' and label = '{label}'"
        )
    };
    let places = [id(context, &place("Home")).await, id(context, &place("Shop")).await];
    let (login, account) =
        sign_in(context, customer, &format!("{name}@home.example"), "customer").await;
    Household { customer, places, login, account }
}

/// One more login of a customer, with an account of that role.
pub async fn sign_in(context: &Context, customer: Uuid, email: &str, role: &str) -> (Uuid, Uuid) {
    let login = context.newcomer(email).await;
    let staff = if matches!(role, "property_manager" | "admin") {
        "portal_manager"
    } else {
        "portal_customer"
    };
    let account = id(
        context,
        &format!(
            "with profile as (
               insert into profiles (id, org_id, role, email, full_name) values ('{login}', '{NORTHWIND}', '{staff}', '{email}', 'Owner of {email}')
             )
             insert into portal_accounts (org_id, user_id, customer_id, role)
             values ('{NORTHWIND}', '{login}', '{customer}', '{role}') returning id"
        ),
    )
    .await;
    (login, account)
}

/// A manager of their own customer who also sees others: all of each, or one of its places.
pub async fn manager(context: &mut Context, sees: &[(Uuid, Option<Uuid>)]) -> Household {
    let manager = household(context, "manager").await;
    let sql = format!(
        "update portal_accounts set role = 'property_manager' where id = '{}'",
        manager.account
    );
    context.client.batch_execute(&sql).await.unwrap();
    let sql = format!("update profiles set role = 'portal_manager' where id = '{}'", manager.login);
    context.client.batch_execute(&sql).await.unwrap();
    for (customer, place) in sees {
        context
            .client
            .execute(
                "insert into portal_account_access (org_id, portal_account_id, customer_id, location_id) values ($1, $2, $3, $4)",
                &[&NORTHWIND, &manager.account, customer, place],
            )
            .await
            .unwrap();
    }
    manager
}

/// A visit that begins so many hours from now; `set` are further columns and their values.
pub async fn visit(
    context: &Context,
    of: Uuid,
    place: Option<Uuid>,
    hours: i32,
    set: &[(&str, &str)],
) -> Uuid {
    let columns: String = set.iter().map(|(column, _)| format!(", {column}")).collect();
    let values: String = set.iter().map(|(_, value)| format!(", {value}")).collect();
    let place = place.map_or_else(|| "null".to_owned(), |place| format!("'{place}'"));
    id(
        context,
        &format!(
            "insert into work_orders (org_id, customer_id, location_id, title, window_start, window_end, description, internal_notes,
               cancel_reason, customer_notes{columns})
             values ('{NORTHWIND}', '{of}', {place}, 'Look at the boiler', now() + {hours} * interval '1 hour',
               now() + ({hours} + 2) * interval '1 hour', 'canary-description', 'canary-internal', 'canary-reason', 'Filter changed'{values})
             returning id"
        ),
    )
    .await
}

/// Nothing of it is ours alone.
pub fn safe(answer: &Value) {
    let text = answer.to_string();
    for word in ["canary", "northwind.example", "owner_id", "\"status\":\"blacklisted\""] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}
