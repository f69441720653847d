//! Customers who ask when somebody could come, hold a time and book it.

#![allow(dead_code, reason = "each test binary uses a part")]

use serde_json::{Value, json};

use crate::common::Context;
use crate::common::shop::Person;

pub const SLOTS: &str = "portal_available_slots";
pub const HOLD: &str = "portal_hold_slot";
pub const BOOK: &str = "portal_create_booking";

/// The day after next week, and times of it.
pub async fn day(context: &Context) -> String {
    let sql = "select to_char((now() at time zone 'UTC')::date + 8, 'YYYY-MM-DD')";
    context.client.query_one(sql, &[]).await.unwrap().get(0)
}

pub async fn at(context: &Context, time: &str) -> String {
    format!("{}T{time}:00Z", day(context).await)
}

pub async fn free(context: &mut Context, person: &Person) -> Vec<String> {
    let day = day(context).await;
    let asked = person.ask(json!({"from_date": day, "to_date": day}));
    times(&context.call(person.caller(), SLOTS, asked).await.unwrap())
}

/// Of each slot the time at which it begins.
pub fn times(found: &Value) -> Vec<String> {
    let slots = found["slots"].as_array().unwrap();
    slots.iter().map(|slot| slot["starts_at"].as_str().unwrap()[11..16].to_owned()).collect()
}

pub const ALL_DAY: [&str; 12] = [
    "09:00", "09:30", "10:00", "10:30", "11:00", "13:00", "13:30", "14:00", "14:30", "15:00",
    "15:30", "16:00",
];

pub async fn hold(context: &mut Context, person: &Person, time: &str) -> Value {
    let starts_at = at(context, time).await;
    let arguments = person.ask(json!({"starts_at": starts_at}));
    context.call(person.caller(), HOLD, arguments).await.unwrap()
}

pub async fn book(context: &mut Context, person: &Person, more: Value) -> Value {
    let mut arguments = json!({"problem_description": "The tap drips."});
    for (key, value) in more.as_object().unwrap() {
        arguments[key] = value.clone();
    }
    context.call(person.caller(), BOOK, arguments).await.unwrap()
}
