//! A company that can be booked, for one test: an org of its own with technicians, a service and customers.

use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::As;

/// The owner of a portal account.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    pub user: Uuid,
    pub account: Uuid,
    pub customer: Uuid,
    pub location: Uuid,
}

#[allow(clippy::struct_field_names, reason = "named as the columns")]
pub struct Shop {
    pub org_id: Uuid,
    pub staff: Uuid,
    pub technicians: Vec<Uuid>,
    pub people: Vec<Person>,
}

impl Shop {
    /// In UTC, every day from 9 to 12 and from 13 to 17; `repair` takes an hour, with a quarter of an hour after it.
    pub async fn make(client: &Client, technicians: usize, people: usize) -> Self {
        let sql = "insert into orgs (name, time_zone) values ('Shop', 'UTC') returning id";
        let org_id: Uuid = client.query_one(sql, &[]).await.unwrap().get(0);
        let mut shop = Self {
            org_id,
            staff: user(client, org_id, "dispatcher").await,
            technicians: Vec::new(),
            people: Vec::new(),
        };
        let sql = "insert into service_types (org_id, code, name, duration_minutes, buffer_minutes)
            values ($1, 'repair', 'Repair', 60, 15)";
        client.execute(sql, &[&org_id]).await.unwrap();
        for _ in 0..technicians {
            shop.hire(client).await;
        }
        for _ in 0..people {
            shop.admit(client).await;
        }
        shop
    }

    pub async fn hire(&mut self, client: &Client) -> Uuid {
        let id = user(client, self.org_id, "technician").await;
        client
            .execute(
                "insert into technician_hours (org_id, technician_id, weekday, start_time, end_time)
                 select $1, $2, d, h.f::time, h.t::time from generate_series(1, 7) d, (values ('09:00', '12:00'), ('13:00', '17:00')) h (f, t)",
                &[&self.org_id, &id],
            )
            .await
            .unwrap();
        client
            .execute(
                "insert into technician_skills (org_id, technician_id, service_type_id)
                 select $1, $2, id from service_types where org_id = $1",
                &[&self.org_id, &id],
            )
            .await
            .unwrap();
        self.technicians.push(id);
        id
    }

    pub async fn admit(&mut self, client: &Client) -> Person {
        let user = user(client, self.org_id, "portal_customer").await;
        let row = client
            .query_one(
                "with c as (insert into customers (org_id, type, name) values ($1, 'individual', 'Ada') returning id),
                 l as (insert into customer_locations (org_id, customer_id, address_line1, city, postal_code, country)
                   select $1, id, '1 Main St', 'Springfield', '62701', 'US' from c returning id, customer_id),
                 a as (insert into portal_accounts (org_id, user_id, customer_id) select $1, $2, id from c returning id)
                 select a.id, l.customer_id, l.id from a, l",
                &[&self.org_id, &user],
            )
            .await
            .unwrap();
        let person =
            Person { user, account: row.get(0), customer: row.get(1), location: row.get(2) };
        self.people.push(person);
        person
    }

    pub async fn set(&self, client: &Client, settings: Value) {
        let sql = "insert into portal_settings select (jsonb_populate_record(null::portal_settings,
              jsonb_build_object('org_id', $1::uuid, 'is_signup_enabled', false, 'auto_schedule', false, 'hold_minutes', 10,
                'min_notice_minutes', 120, 'horizon_days', 60, 'slot_minutes', 30, 'travel_speed_kmh', 40,
                'reschedule_hours_before', 24, 'max_reschedules', 3, 'cancel_hours_before', 24,
                'created_at', now(), 'updated_at', now()) || $2)).*";
        client
            .execute("delete from portal_settings where org_id = $1", &[&self.org_id])
            .await
            .unwrap();
        client.execute(sql, &[&self.org_id, &Json(settings)]).await.unwrap();
    }

    /// Runs a statement whose first parameter is the org.
    pub async fn run(&self, client: &Client, sql: &str) -> u64 {
        client.execute(sql, &[&self.org_id]).await.unwrap()
    }

    pub async fn count(&self, client: &Client, sql: &str) -> i64 {
        client.query_one(sql, &[&self.org_id]).await.unwrap().get(0)
    }

    /// Removes what was committed.
    pub async fn remove(self, client: &Client) {
        for sql in [
            "delete from portal_booking_holds where org_id = $1",
            "delete from portal_booking_requests where org_id = $1",
            "delete from work_orders where org_id = $1",
            "delete from visit_plans where org_id = $1",
            "delete from portal_accounts where org_id = $1",
            "delete from customers where org_id = $1",
            "delete from fieldcrm.idempotency_keys where org_id = $1",
            "delete from service_types where org_id = $1",
            "delete from portal_settings where org_id = $1",
            "delete from auth.users where id in (select id from profiles where org_id = $1)",
            "delete from audit_log where org_id = $1",
            "delete from orgs where id = $1",
        ] {
            let outcome = client.execute(sql, &[&self.org_id]).await;
            // History stays, and with it the org.
            if let Err(error) = outcome
                && !sql.contains("orgs")
                && !sql.contains("audit_log")
            {
                panic!("{sql}: {error:?}");
            }
        }
    }
}

impl Person {
    pub fn caller(&self) -> As {
        As::User(self.user)
    }

    /// The arguments of a hold, or of a question about slots, at their place.
    #[allow(clippy::needless_pass_by_value, reason = "as json! makes it")]
    pub fn ask(&self, more: Value) -> Value {
        let mut ask = json!({"service_type": "repair", "location_id": self.location});
        for (key, value) in more.as_object().unwrap() {
            ask[key] = value.clone();
        }
        ask
    }
}

async fn user(client: &Client, org_id: Uuid, role: &str) -> Uuid {
    let id: Uuid = client.query_one("select gen_random_uuid()", &[]).await.unwrap().get(0);
    let sql = "insert into auth.users (id, email) values ($1, $1::uuid || '@shop.example')";
    client.execute(sql, &[&id]).await.unwrap();
    let sql = "insert into profiles (id, org_id, role) values ($1, $2, $3)";
    client.execute(sql, &[&id, &org_id, &role]).await.unwrap();
    id
}
