//! Random hours and random rows for the tests of consent.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::{Context, NORTHWIND};

/// Random numbers that are the same in each run (`SplitMix64`).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }

    /// A time of the day in seconds, at a quarter of an hour, midnight in both its forms.
    pub fn time_of_day(&mut self) -> Option<u32> {
        (!self.one_in(5)).then(|| u32::try_from(self.below(97) * 900).unwrap())
    }

    pub fn pair(&mut self) -> (Option<u32>, Option<u32>) {
        let start = self.time_of_day();
        (start, start.and_then(|_| self.time_of_day()).or(start))
    }
}

/// Customers with random flags, endpoints, portal accounts, opt-outs.
pub async fn random_rows(context: &Context, dice: &mut Dice) -> Vec<Uuid> {
    let client = &context.client;
    let execute = async |sql: &str, parameters: Value| {
        client.execute(sql, &[&tokio_postgres::types::Json(parameters)]).await.unwrap();
    };
    client.execute("delete from crm_outbox where created_at < now()", &[]).await.unwrap();
    let sql = "insert into crm_segments (org_id, name, type) values ($1, 'Leave alone', 'static') returning id";
    let segment: Uuid = client.query_one(sql, &[&NORTHWIND]).await.unwrap().get(0);
    execute(
        "update orgs set time_zone = 'UTC' where id = ($1::jsonb ->> 'org')::uuid",
        json!({"org": NORTHWIND}),
    )
    .await;
    execute("insert into crm_messaging_settings (org_id, suppression_segment_id)
        select ($1::jsonb ->> 'org')::uuid, ($1::jsonb ->> 'segment')::uuid
        on conflict (org_id) do update set suppression_segment_id = excluded.suppression_segment_id, quiet_hours_start = null,
          quiet_hours_end = null, marketing_cap_count = null, marketing_cap_hours = null, allow_unverified_marketing = false",
        json!({"org": NORTHWIND, "segment": segment})).await;
    let mut customers = Vec::new();
    for number in 0..60 {
        let sql = "insert into customers (org_id, type, name, status, is_archived)
            select $1, 'company', 'Random', ($2::jsonb ->> 'status')::customer_status, ($2::jsonb ->> 'archived')::boolean returning id";
        let flags = json!({"status": if dice.one_in(8) { "blacklisted" } else { "active" }, "archived": dice.one_in(8)});
        let customer: Uuid = client
            .query_one(sql, &[&NORTHWIND, &tokio_postgres::types::Json(flags)])
            .await
            .unwrap()
            .get(0);
        customers.push(customer);
        let with = |more: Value| json!({"org": NORTHWIND, "customer": customer, "more": more});
        if dice.one_in(2) {
            let more = json!([dice.one_in(8), dice.one_in(6), dice.one_in(6), dice.one_in(6)]);
            execute("insert into crm_preferences (org_id, customer_id, do_not_contact, do_not_email, do_not_sms, do_not_call)
                select ($1 ->> 'org')::uuid, ($1 ->> 'customer')::uuid, ($1 -> 'more' ->> 0)::boolean, ($1 -> 'more' ->> 1)::boolean,
                  ($1 -> 'more' ->> 2)::boolean, ($1 -> 'more' ->> 3)::boolean from (select $1::jsonb) x", with(more)).await;
            if dice.one_in(4) {
                // The window is never now: it waits.
                execute("update crm_preferences set preferred_contact_window_start = (now() at time zone 'UTC')::time + interval '2 hours',
                    preferred_contact_window_end = (now() at time zone 'UTC')::time + interval '4 hours'
                    where customer_id = ($1::jsonb ->> 'customer')::uuid", with(Value::Null)).await;
            }
        }
        let mut primary = true;
        for nth in 0..dice.below(5) {
            let kind = dice.of(&["email", "email", "mobile", "phone", "whatsapp", "fax"]);
            let value = if kind == "email" {
                format!("random{number}-{nth}@example.com")
            } else {
                format!("+1202555{number:02}{nth}0")
            };
            let more = json!([
                kind,
                value,
                primary && dice.one_in(3),
                !dice.one_in(3),
                !dice.one_in(3),
                !dice.one_in(4),
                dice.one_in(3),
                nth
            ]);
            primary = primary && more[2] != true;
            execute("insert into customer_contacts (org_id, customer_id, type, value, is_primary, is_verified, opt_in_marketing,
                  opt_in_transactional, preferred_channel, created_at)
                select ($1 ->> 'org')::uuid, ($1 ->> 'customer')::uuid, (m ->> 0)::contact_type, m ->> 1, (m ->> 2)::boolean,
                  (m ->> 3)::boolean, (m ->> 4)::boolean, (m ->> 5)::boolean, (m ->> 6)::boolean,
                  now() - make_interval(days => (m ->> 7)::integer)
                from (select $1::jsonb) x, lateral (select $1 -> 'more') y (m)", with(more.clone())).await;
            if dice.one_in(4) && kind != "fax" {
                let channel = if kind == "email" { "email" } else { dice.of(&["sms", "whatsapp"]) };
                execute("insert into crm_opt_outs (org_id, channel, address)
                    select ($1 ->> 'org')::uuid, $1 -> 'more' ->> 0, $1 -> 'more' ->> 1 from (select $1::jsonb) x",
                    with(json!([channel, more[1]]))).await;
            }
        }
        for nth in 0..dice.below(3) {
            let more = json!([
                format!("portal{number}-{nth}@example.com"),
                dice.of(&["active", "active", "suspended"]),
                !dice.one_in(3),
                !dice.one_in(3),
                dice.one_in(2)
            ]);
            execute("with u as (insert into auth.users (id, email) select gen_random_uuid(), $1::jsonb -> 'more' ->> 0 returning id),
                a as (insert into portal_accounts (org_id, user_id, customer_id, status) select ($1::jsonb ->> 'org')::uuid, u.id,
                  ($1::jsonb ->> 'customer')::uuid, ($1::jsonb -> 'more' ->> 1)::portal_account_status from u returning id, org_id)
                insert into portal_notification_preferences (org_id, portal_account_id, notify_marketing_email, notify_marketing_sms)
                select a.org_id, a.id, ($1::jsonb -> 'more' ->> 2)::boolean, ($1::jsonb -> 'more' ->> 3)::boolean from a
                where ($1::jsonb -> 'more' ->> 4)::boolean", with(more)).await;
        }
        if dice.one_in(10) {
            execute("insert into crm_segment_members (org_id, segment_id, customer_id)
                select ($1 ->> 'org')::uuid, ($1 ->> 'more')::uuid, ($1 ->> 'customer')::uuid from (select $1::jsonb) x",
                with(json!(segment))).await;
        }
    }
    customers
}
