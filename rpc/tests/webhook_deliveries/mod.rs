//! What providers deliver to an org in a while: generated, the same for the same seed.

use serde_json::{Value, json};

use crate::common::chaos::dice;

/// A door of the org, and who comes through it.
#[derive(Clone, Copy)]
pub struct Door {
    pub channel: &'static str,
    pub provider: &'static str,
    people: usize,
}

pub const DOORS: [Door; 3] = [
    Door { channel: "sms", provider: "twilio", people: 12 },
    Door { channel: "whatsapp", provider: "whatsapp_cloud", people: 8 },
    Door { channel: "email", provider: "postmark", people: 6 },
];
/// Messages of ours on each channel whose ids are known, and replies on SMS that are being sent.
pub const OUT: usize = 8;
pub const REPLIES: usize = 8;
/// How often a provider delivers the same.
const TIMES: usize = 5;

/// The n-th person's address; the first of SMS is of Brazil, where a number has two spellings. Both orgs have the same people.
pub fn person(door: Door, n: usize, state: &mut u64) -> String {
    match (door.channel, n) {
        ("sms", 0) => ["+5511987654321", "+551187654321"][usize::from(dice(state, 2) == 0)].into(),
        ("sms", _) => format!("+1415555{n:04}"),
        ("whatsapp", _) => format!("+1416555{n:04}"),
        _ => format!("person{n}@mail.example"),
    }
}

/// The name of whom we wrote to before.
pub fn known(door: Door) -> String {
    format!("{} 1", door.channel)
}

fn one_of<'a>(state: &mut u64, list: &[&'a str]) -> &'a str {
    list[usize::try_from(dice(state, list.len() as u64)).unwrap()]
}

fn index(state: &mut u64, below: usize) -> usize {
    usize::try_from(dice(state, below as u64)).unwrap()
}

/// The n-th event at a door. What its order decides by nature is not among it: START comes before any STOP, by its time.
fn event(org: &str, door: Door, n: usize, state: &mut u64) -> Value {
    let from = person(door, 0, state);
    let who = index(state, door.people);
    let from = if who == 0 { from } else { person(door, who, state) };
    let at = |minute: usize| {
        format!("2026-01-{:02}T{:02}:{:02}:00Z", 2 + minute / 1_440, minute / 60 % 24, minute % 60)
    };
    let id = format!("{}-{n}", door.channel);
    let ours = format!("out-{}-{}", door.channel, index(state, OUT));
    let reply = format!("reply-{}", index(state, REPLIES));
    let target = if door.channel == "sms" && dice(state, 2) == 0 { reply } else { ours.clone() };
    match dice(state, 20) {
        0..=8 => {
            // Some messages are told of by two events.
            let same = if n % 9 == 8 { n - 1 } else { n };
            json!({"id": id, "type": "message", "from": from, "from_name": format!("{} {who}", door.channel),
                "content": format!("{org} hears {same} 👋"), "provider_message_id": format!("{}-message-{n}", door.channel),
                "occurred_at": at(n), "references": ["<unknown@mail.example>"]})
        }
        9..=12 => {
            json!({"id": id, "type": "status", "provider_message_id": target,
                "status": one_of(state, &["sent", "delivered", "delivered", "read", "failed"])})
        }
        13 | 14 => {
            // Few people and few messages: some change their mind.
            json!({"id": id, "type": "reaction", "from": person(door, 1 + who % 2, state), "in_reply_to": ours,
                "content": format!("{org} {n}"), "occurred_at": at(n)})
        }
        15 => json!({"id": id, "type": "opt_out", "from": from, "occurred_at": at(n)}),
        16 => {
            json!({"id": id, "type": "opt_in", "from": from, "occurred_at": "2026-01-01T00:00:00Z"})
        }
        17 => {
            json!({"id": id, "type": "bounce", "address": from, "provider_message_id": target, "error_code": "x"})
        }
        18 => json!({"id": id, "type": "complaint", "address": from}),
        _ => json!({"id": id, "type": "unknown", "raw": {"org": org, "n": n}}),
    }
}

/// A call of a provider, or of who sends our replies.
#[derive(Clone, Debug)]
pub struct Call {
    pub rpc: &'static str,
    pub arguments: Value,
}

/// All events of an org, as one call each and in their order.
pub struct Deliveries {
    events: Vec<(Door, Value)>,
}

impl Deliveries {
    pub fn make(org: &str, seed: u64, events: usize) -> Self {
        let mut state = seed;
        let events = (0..events)
            .map(|n| {
                let door = DOORS[index(&mut state, DOORS.len())];
                (door, event(org, door, n, &mut state))
            })
            .collect();
        Self { events }
    }

    fn call(door: Door, address: &str, events: &[Value]) -> Call {
        let arguments = json!({"provider": door.provider, "channel": door.channel, "address": address, "events": events});
        Call { rpc: "crm_receive_webhook", arguments }
    }

    /// Once, one by one.
    pub fn in_order(&self, address: impl Fn(Door) -> String) -> Vec<Call> {
        self.events
            .iter()
            .map(|(door, event)| Self::call(*door, &address(*door), std::slice::from_ref(event)))
            .collect()
    }

    /// Five times, each time in other company and another order.
    pub fn in_disorder(&self, state: &mut u64, address: impl Fn(Door) -> String) -> Vec<Call> {
        let mut calls = Vec::new();
        for _ in 0..TIMES {
            for door in DOORS {
                let here = |(at, _): &&(Door, Value)| at.channel == door.channel;
                let mut events: Vec<_> =
                    self.events.iter().filter(here).map(|(_, event)| event.clone()).collect();
                shuffle(&mut events, state);
                let mut rest = events.as_slice();
                while !rest.is_empty() {
                    let (some, later) = rest.split_at(rest.len().min(1 + index(state, 5)));
                    calls.push(Self::call(door, &address(door), some));
                    rest = later;
                }
            }
        }
        calls
    }
}

pub fn shuffle<T>(list: &mut [T], state: &mut u64) {
    for n in (1..list.len()).rev() {
        list.swap(n, index(state, n + 1));
    }
}
