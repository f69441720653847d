//! Customers of an org with everything a rule can ask about.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};
use tokio_postgres::Client;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::Dice;
use crate::segment_reference::calendar;
use crate::segment_reference::fields::{self, CUSTOMER, Type};

/// Zones with the instants at which their clocks change in 2026; the last by half an hour.
pub const ZONES: [(Tz, [&str; 2]); 3] = [
    (Tz::America__New_York, ["2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"]),
    (Tz::Europe__Berlin, ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"]),
    (Tz::Australia__Lord_Howe, ["2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"]),
];

pub const TEXTS: &[&str] = &[
    "",
    " ",
    "Ada",
    "ada",
    "ADA LOVELACE",
    "Müller",
    "MÜLLER & Söhne",
    "Straße",
    "STRASSE",
    "Istanbul",
    "İstanbul",
    "istanbul",
    "ıstanbul",
    "École",
    "e\u{301}cole",
    "ÉCOLE",
    "👩‍🔧 Pro",
    "🔧",
    "100%",
    "100 percent",
    "50_50",
    "50x50",
    r"C:\temp",
    r"C:temp",
    "a,b",
    "it's",
    "\"quoted\"",
    "{braces}",
    "$1",
    "null",
    "NULL",
    "ΟΔΟΣ",
    "οδος",
    "日本語",
    "Zoë",
    "zoe",
    "z",
    "Z",
    "0",
    "10",
    "9",
    "tab\there",
    "line\nbreak",
];

pub const TAGS: [&str; 8] =
    ["VIP", "Net 30", "Müller", "İzmir", "100%", r"back\slash", "a,b", "Rarely"];
pub const SEGMENTS: [&str; 4] = ["Loyal", "Do not disturb", "a, b", "Empty"];

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// An instant where it matters: at the clock changes, at the edges of days, around the present, or anywhere.
pub fn instant(dice: &mut Dice, zone: Tz, present: DateTime<Utc>) -> DateTime<Utc> {
    let changes = ZONES.iter().find(|(known, _)| *known == zone).unwrap().1;
    let change = at(changes[dice.below(changes.len())]);
    let steps = [
        Duration::zero(),
        Duration::microseconds(1),
        Duration::seconds(1),
        Duration::minutes(15),
        Duration::minutes(30),
        Duration::minutes(60),
        Duration::minutes(90),
        Duration::hours(12),
        Duration::days(1),
        Duration::days(7),
        Duration::days(30),
        Duration::days(90),
    ];
    let step = *dice.one(&steps);
    let step = if dice.percent(50) { -step } else { step };
    match dice.below(10) {
        0..3 => change + step,
        3..6 => {
            let day = calendar::local(change, zone).date();
            let day = day + Duration::days(dice.between(-9, 9));
            let edge = calendar::start_of(day, zone);
            if dice.percent(50) { edge } else { edge + step }
        }
        6..8 => present + step * i32::try_from(dice.between(0, 3)).unwrap(),
        _ => {
            let start = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap();
            calendar::start_of(start, zone) + Duration::seconds(dice.between(0, 3 * 365 * 86_400))
        }
    }
}

/// Fills a new org; without triggers, so that figures are as random as everything else.
pub async fn fill(client: &Client, dice: &mut Dice, zone: Tz, customers: usize) -> Uuid {
    let present = client.query_one("select date_trunc('day', now())::text", &[]).await.unwrap();
    let present: String = present.get(0);
    let present = DateTime::parse_from_str(&present, "%Y-%m-%d %H:%M:%S%.f%#z").unwrap();
    let org = dice.uuid();
    let people = (0..5).map(|_| dice.uuid()).collect();
    let present = present.into();
    let mut made = Made { dice, zone, present, org, people, tables: BTreeMap::new() };
    let role = "set local session_replication_role = replica";
    client.batch_execute(role).await.unwrap();
    let org = json!({"id": made.org, "name": "Random", "time_zone": zone.name()});
    insert(client, "orgs", &[org]).await;
    made.fill(client, customers).await;
    let role = "set local session_replication_role = origin";
    client.batch_execute(role).await.unwrap();
    made.org
}

async fn insert(client: &Client, table: &str, rows: &[Value]) {
    let Some(first) = rows.first() else { return };
    let columns: Vec<_> = first.as_object().unwrap().keys().map(String::as_str).collect();
    let columns = columns.join(", ");
    let sql = format!(
        "insert into {table} ({columns}) select {columns} from jsonb_populate_recordset(null::{table}, $1)"
    );
    client.execute(&sql, &[&Json(rows)]).await.unwrap();
}

struct Made<'a> {
    dice: &'a mut Dice,
    zone: Tz,
    present: DateTime<Utc>,
    org: Uuid,
    /// Owners, technicians, authors.
    people: Vec<Uuid>,
    tables: BTreeMap<&'static str, Vec<Value>>,
}

impl Made<'_> {
    async fn fill(&mut self, client: &Client, customers: usize) {
        let products = self.named(&["Heat pump", "Wärmepumpe", "İ-Boiler 100%"]);
        let tags = self.named(&TAGS);
        let mut segments = self.named(&SEGMENTS);
        for segment in &mut segments {
            segment["type"] = json!("static");
        }
        for number in 0..customers {
            let id = self.dice.uuid();
            let belongs = json!({"org_id": self.org, "customer_id": id});
            let primary = self.locations(&belongs);
            self.contacts(&belongs);
            self.work(&belongs);
            self.papers(&belongs);
            self.figures(&belongs);
            self.labels(
                &belongs,
                "crm_customer_tags",
                "tag_id",
                &tags,
                &[20, 15, 10, 10, 10, 8, 8, 0],
            );
            self.labels(&belongs, "crm_segment_members", "segment_id", &segments, &[50, 20, 5, 0]);
            let product = self.maybe(|made| made.dice.one(&products)["id"].clone());
            let fixed = json!({
                "id": id, "org_id": self.org, "primary_location_id": primary, "product_id": product,
            });
            self.customer(number, fixed);
        }
        insert(client, "products", &products).await;
        insert(client, "crm_tags", &tags).await;
        insert(client, "crm_segments", &segments).await;
        for (table, rows) in &self.tables {
            insert(client, table, rows).await;
        }
    }

    fn named(&mut self, names: &[&str]) -> Vec<Value> {
        let org = self.org;
        let row = |name| json!({"id": self.dice.uuid(), "org_id": org, "name": name});
        names.iter().map(row).collect()
    }

    fn put(&mut self, table: &'static str, row: Value) {
        self.tables.entry(table).or_default().push(row);
    }

    fn customer(&mut self, number: usize, fixed: Value) {
        let mut row = self.columns(CUSTOMER);
        let elsewhere = ["product", "tags", "segment", "last_interaction_at", "last_service_at"];
        for name in fields::PLACE.iter().chain(&fields::WISHES).chain(&fields::FIGURES) {
            row.remove(*name);
        }
        for name in elsewhere {
            row.remove(name);
        }
        row.extend(object(fixed));
        let mut row = Value::Object(row);
        row["name"] = json!(self.filled());
        row["is_archived"] = json!(self.dice.percent(8));
        row["email"] = self.maybe(|made| {
            let user = *made.dice.one(&["ada", "müller", "i_stanbul", "o'brien", "100%"]);
            json!(format!("{user}@{}", made.dice.one(&["example.com", "mail.example"])))
        });
        row["phone"] = self.maybe(Self::phone);
        let label = *self.dice.one(&["ERP-", "erp_", "É%"]);
        row["external_ref"] = self.maybe(|_| json!(format!("{label}{number}")));
        for name in ["created_at", "updated_at"] {
            row[name] = self.moment();
        }
        self.put("customers", row);
    }

    /// The primary one's id, if there is one.
    fn locations(&mut self, belongs: &Value) -> Value {
        let mut primary = Value::Null;
        for index in 0..self.dice.below(4) {
            let mut row = self.owned("locations", belongs);
            let first = index == 0 && self.dice.percent(80);
            row["is_primary"] = json!(first);
            if first {
                primary = row["id"].clone();
            }
            row["address_line1"] = json!("1 Main Street");
            row["city"] = json!(self.text());
            row["country"] = self.maybe(|made| json!(made.dice.one(&["US", "DE", "AU"])));
            self.put("customer_locations", row);
        }
        primary
    }

    fn contacts(&mut self, belongs: &Value) {
        let mut known = Vec::new();
        for index in 0..self.dice.below(4) {
            let mut row = self.owned("contacts", belongs);
            row["is_primary"] = json!(index == 0);
            row["value"] = match row["type"].as_str().unwrap() {
                "email" => json!(*self.dice.one(&["ada@example.com", "müller@example.com"])),
                "telegram" | "portal" => json!(self.filled()),
                _ => self.phone(),
            };
            let key = (row["type"].clone(), row["value"].clone());
            if !known.contains(&key) {
                known.push(key);
                self.put("customer_contacts", row);
            }
        }
    }

    fn work(&mut self, belongs: &Value) {
        for _ in 0..self.dice.below(6) {
            let row = self.owned("interactions", belongs);
            self.put("crm_interactions", row);
        }
        for _ in 0..self.dice.below(4) {
            let mut row = self.owned("work_orders", belongs);
            let types = ["hvac_repair", "hvac", "drain"];
            row["service_type"] = self.maybe(|made| json!(*made.dice.one(&types)));
            row["title"] = json!(self.filled());
            // Visits of one technician do not overlap while they are ahead.
            if !["completed", "canceled"].contains(&row["status"].as_str().unwrap()) {
                row["technician_id"] = Value::Null;
            }
            let start = instant(self.dice, self.zone, self.present);
            let end = start + Duration::minutes(self.dice.between(1, 600));
            let window = self.dice.percent(70);
            row["window_start"] = if window { json!(start) } else { Value::Null };
            row["window_end"] = if window { json!(end) } else { Value::Null };
            self.put("work_orders", row);
        }
        for _ in 0..self.dice.below(4) {
            let mut row = self.owned("followups", belongs);
            row["title"] = json!("Call");
            let done = row["status"] == "completed";
            row["completed_at"] = if done { self.moment() } else { Value::Null };
            self.put("crm_followups", row);
        }
    }

    fn papers(&mut self, belongs: &Value) {
        for table in ["quotes", "invoices"] {
            for _ in 0..self.dice.below(5) {
                let mut row = self.owned(table, belongs);
                row["number"] = row["id"].clone();
                self.put(table, row);
            }
        }
    }

    fn figures(&mut self, belongs: &Value) {
        if self.dice.percent(60) {
            let mut row = belongs.clone();
            for name in fields::WISHES {
                row[name] = json!(self.dice.percent(30));
            }
            self.put("crm_preferences", row);
        }
        if self.dice.percent(75) {
            let mut row = belongs.clone();
            for name in fields::FIGURES {
                row[name] = self.number(name);
            }
            for name in ["last_interaction_at", "last_service_at"] {
                row[name] = self.maybe(Self::moment);
            }
            self.put("customer_metrics", row);
        }
    }

    fn labels(
        &mut self,
        belongs: &Value,
        table: &'static str,
        key: &str,
        of: &[Value],
        chances: &[usize],
    ) {
        for (label, chance) in of.iter().zip(chances) {
            if self.dice.percent(*chance) {
                let mut row = belongs.clone();
                row[key] = label["id"].clone();
                self.put(table, row);
            }
        }
    }

    fn phone(&mut self) -> Value {
        json!(format!("+1415555{}", self.dice.between(1000, 1020)))
    }

    /// A random value for each column; those with rules of their own are set again.
    fn columns(&mut self, fields: fields::Fields) -> Map<String, Value> {
        let mut row = Map::new();
        for (name, kind) in fields {
            // Columns of these names are required.
            let required =
                ["total", "amount_paid", "created_at", "occurred_at", "due_at", "channel"];
            let required = required.contains(name)
                || (matches!(kind, Type::Enum(_)) && !["sentiment", "direction"].contains(name));
            let value = match kind {
                Type::Text => self.maybe(|made| json!(made.text())),
                Type::Enum(choices) if required => json!(*self.dice.one(choices)),
                Type::Enum(choices) => self.maybe(|made| json!(*made.dice.one(choices))),
                Type::Number => self.number(name),
                Type::Boolean => json!(self.dice.percent(50)),
                Type::Timestamp if required => self.moment(),
                Type::Timestamp => self.maybe(Self::moment),
                Type::Date => self.maybe(|made| {
                    let at = instant(made.dice, made.zone, made.present);
                    json!(calendar::local(at, made.zone).date())
                }),
                Type::Uuid => self.maybe(Self::person),
                Type::Set | Type::Segment => Value::Null,
            };
            row.insert((*name).to_owned(), value);
        }
        row
    }

    fn owned(&mut self, entity: &str, belongs: &Value) -> Value {
        let mut row = self.columns(fields::entity(entity).unwrap());
        row.extend(object(belongs.clone()));
        row.insert("id".into(), json!(self.dice.uuid()));
        row.into()
    }

    fn maybe(&mut self, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.dice.percent(25) { Value::Null } else { make(self) }
    }

    fn person(&mut self) -> Value {
        json!(self.dice.one(&self.people))
    }

    fn moment(&mut self) -> Value {
        json!(instant(self.dice, self.zone, self.present))
    }

    fn text(&mut self) -> &'static str {
        let text: &&str = self.dice.one(TEXTS);
        text
    }

    fn filled(&mut self) -> &'static str {
        let filled: Vec<&'static str> =
            TEXTS.iter().copied().filter(|text| !text.trim().is_empty()).collect();
        let text: &&str = self.dice.one(&filled);
        text
    }

    fn number(&mut self, name: &str) -> Value {
        match name {
            "latitude" | "longitude" => {
                self.maybe(|made| json!(format!("{}.5", made.dice.between(-89, 89))))
            }
            "total" | "amount_paid" | "total_spend" | "balance_due" => {
                let cents = *self.dice.one(&["00", "50", "99", "10"]);
                json!(format!("{}.{cents}", self.dice.one(&[0, 1, 99, 100, 250, 1000, 99_999])))
            }
            _ => json!(self.dice.below(5)),
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}
