//! The customers of an org and what belongs to them, read with plain selects.

use std::collections::{HashMap, HashSet};

use chrono_tz::Tz;
use serde_json::Value;
use tokio_postgres::Client;
use uuid::Uuid;

use super::datum::Datum;
use super::fields::{CUSTOMER, ENTITIES, FIGURES, Fields, PLACE, Type, WISHES};

/// A customer, or a row that belongs to one and has nothing of its own below it.
#[derive(Debug, Default)]
pub struct Record {
    pub id: Uuid,
    pub fields: HashMap<&'static str, Datum>,
    pub related: HashMap<&'static str, Vec<Record>>,
    pub tags: Vec<String>,
    pub segments: HashSet<Uuid>,
}

#[derive(Debug)]
pub struct Org {
    pub id: Uuid,
    pub zone: Tz,
    pub customers: Vec<Record>,
    pub segments: Vec<(Uuid, String)>,
}

async fn rows(client: &Client, table: &str, org: Uuid) -> Vec<Value> {
    let sql =
        format!("select coalesce(jsonb_agg(to_jsonb(x)), '[]') from {table} x where org_id = $1");
    let rows: Value = client.query_one(&sql, &[&org]).await.unwrap().get(0);
    rows.as_array().unwrap().clone()
}

fn id(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

fn by_customer(rows: Vec<Value>) -> HashMap<Uuid, Vec<Value>> {
    let mut sorted: HashMap<Uuid, Vec<Value>> = HashMap::new();
    for row in rows {
        sorted.entry(id(&row["customer_id"])).or_default().push(row);
    }
    sorted
}

fn record(row: &Value, fields: Fields) -> Record {
    let stored = |kind: Type| !matches!(kind, Type::Set | Type::Segment);
    let read = fields.iter().filter(|(_, kind)| stored(*kind));
    let fields = read.map(|(name, kind)| (*name, Datum::read(&row[*name], *kind))).collect();
    Record { id: id(&row["id"]), fields, ..Record::default() }
}

impl Org {
    pub async fn read(client: &Client, id_of_org: Uuid) -> Self {
        let sql = "select time_zone from orgs where id = $1";
        let zone: String = client.query_one(sql, &[&id_of_org]).await.unwrap().get(0);
        let table = |name: &'static str| rows(client, name, id_of_org);
        let names = |rows: Vec<Value>| -> HashMap<Uuid, String> {
            rows.iter()
                .map(|row| (id(&row["id"]), row["name"].as_str().unwrap().to_owned()))
                .collect()
        };
        let products = names(table("products").await);
        let tags = names(table("crm_tags").await);
        let segments = names(table("crm_segments").await).into_iter().collect();
        let metrics = by_customer(table("customer_metrics").await);
        let preferences = by_customer(table("crm_preferences").await);
        let tagged = by_customer(table("crm_customer_tags").await);
        let members = by_customer(table("crm_segment_members").await);
        let mut related = Vec::new();
        for (name, source, fields) in ENTITIES {
            related.push((*name, *fields, by_customer(table(source).await)));
        }
        let customers = table("customers").await.into_iter().map(|mut row| {
            let customer = id(&row["id"]);
            row["product"] = match &row["product_id"] {
                Value::Null => Value::Null,
                product => products[&id(product)].clone().into(),
            };
            let locations = related.iter().find(|(name, ..)| *name == "locations").unwrap();
            let locations = locations.2.get(&customer).map(Vec::as_slice).unwrap_or_default();
            let primary = locations.iter().find(|one| one["id"] == row["primary_location_id"]);
            for name in PLACE {
                row[name] = primary.map_or(Value::Null, |location| location[name].clone());
            }
            let preferences = preferences.get(&customer).map(|rows| &rows[0]);
            for name in WISHES {
                row[name] = preferences.map_or(false.into(), |row| row[name].clone());
            }
            let metrics = metrics.get(&customer).map(|rows| &rows[0]);
            for name in FIGURES {
                row[name] = metrics.map_or(0.into(), |row| row[name].clone());
            }
            for name in ["last_interaction_at", "last_service_at"] {
                row[name] = metrics.map_or(Value::Null, |row| row[name].clone());
            }
            let mut record = record(&row, CUSTOMER);
            for (name, fields, rows) in &related {
                let rows = rows.get(&customer).map(Vec::as_slice).unwrap_or_default();
                let rows = rows.iter().map(|row| self::record(row, fields)).collect();
                record.related.insert(name, rows);
            }
            let of = |rows: &HashMap<Uuid, Vec<Value>>, key: &str| -> Vec<Uuid> {
                rows.get(&customer).into_iter().flatten().map(|row| id(&row[key])).collect()
            };
            record.tags = of(&tagged, "tag_id").iter().map(|tag| tags[tag].clone()).collect();
            record.segments = of(&members, "segment_id").into_iter().collect();
            record
        });
        let customers = customers.collect();
        Self { id: id_of_org, zone: zone.parse().unwrap(), customers, segments }
    }
}
