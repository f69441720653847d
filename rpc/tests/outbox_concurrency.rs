//! The outbox while many claim, send, settle and change their mind at once: real sessions that commit, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use common::{As, Context, Target, connect, rounds};
use fieldcrm_core::{Code, Error};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use uuid::Uuid;

const SESSIONS: usize = 8;
const CUSTOMERS: usize = 40;

/// An org of its own for one test, with customers; removed at the end.
#[derive(Clone)]
struct Org {
    id: Uuid,
    customers: Arc<Vec<Uuid>>,
    target: Target,
}

impl Org {
    async fn make(target: Target) -> Self {
        let client = connect(target).await;
        let sql = "insert into orgs (name) values ('Outbox') returning id";
        let id: Uuid = client.query_one(sql, &[]).await.unwrap().get(0);
        let sql = "with c as (insert into customers (org_id, type, name) select $1, 'company', 'C' || n from generate_series(1, $2::bigint) n
              returning org_id, id),
            e as (insert into customer_contacts (org_id, customer_id, type, value, is_verified)
              select c.org_id, c.id, 'email', c.id || '@example.com', true from c)
            select array_agg(id) from c";
        let count = i64::try_from(CUSTOMERS).unwrap();
        let customers = client.query_one(sql, &[&id, &count]).await.unwrap().get(0);
        Self { id, customers: Arc::new(customers), target }
    }

    /// One call in a transaction of its own.
    async fn call(
        &self,
        context: &mut Context,
        name: &str,
        arguments: Value,
    ) -> Result<Value, Error> {
        let outcome = context.call(As::Dba(self.id), name, arguments).await;
        context.client.batch_execute("commit; begin").await.unwrap();
        outcome
    }

    /// One claim in a transaction of its own.
    async fn claim(&self, context: &mut Context, batch_limit: usize) -> Vec<Value> {
        let arguments = json!({"batch_limit": batch_limit, "providers": {"email": "postmark"}});
        let claimed = self.call(context, "crm_claim_messages", arguments).await.unwrap();
        claimed["messages"].as_array().unwrap().clone()
    }

    /// Messages that are due, this many to each customer.
    async fn fill(&self, each: i64, purpose: &str) {
        let sql = "insert into crm_outbox (org_id, customer_id, channel, purpose, to_address, subject, body)
            select $1, c.id, 'email', $3, 'x', 'Hello', 'Hello' from customers c, generate_series(1, $2::bigint) where c.org_id = $1";
        connect(self.target).await.execute(sql, &[&self.id, &each, &purpose]).await.unwrap();
    }

    async fn execute(&self, sql: &str) {
        connect(self.target).await.execute(sql, &[&self.id]).await.unwrap();
    }

    async fn count(&self, sql: &str) -> i64 {
        connect(self.target).await.query_one(sql, &[&self.id]).await.unwrap().get(0)
    }

    async fn remove(&self) {
        for table in ["customers", "crm_messaging_settings", "crm_opt_outs"] {
            self.execute(&format!("delete from {table} where org_id = $1")).await;
        }
        self.execute("delete from orgs where id = $1").await;
    }
}

async fn claims_at_once_hand_each_message_out_once(target: Target) {
    let org = Org::make(target).await;
    org.fill(10, "transactional").await;
    let start = Arc::new(Barrier::new(SESSIONS));
    let mut tasks = JoinSet::new();
    for _ in 0..SESSIONS {
        let (org, start) = (org.clone(), start.clone());
        tasks.spawn(async move {
            let mut context = Context::start(org.target).await;
            let mut claimed = Vec::new();
            start.wait().await;
            loop {
                let some = org.claim(&mut context, 7).await;
                if some.is_empty() {
                    return claimed;
                }
                claimed.extend(some);
            }
        });
    }
    let claimed: Vec<Value> = tasks.join_all().await.into_iter().flatten().collect();
    let ids: HashSet<_> = claimed.iter().map(|message| message["id"].as_str().unwrap()).collect();
    assert_eq!((claimed.len(), ids.len()), (CUSTOMERS * 10, CUSTOMERS * 10));
    assert!(claimed.iter().all(|message| message["attempts"] == 1));
    let leased = "select count(*) from crm_outbox where org_id = $1 and status = 'sending'";
    assert_eq!(org.count(leased).await, i64::try_from(ids.len()).unwrap());
    org.remove().await;
}

/// Ways to say no.
const NOES: &[&str] = &[
    "insert into crm_preferences (org_id, customer_id, do_not_contact) values ($1, $2, true)
       on conflict (org_id, customer_id) do update set do_not_contact = true",
    "insert into crm_preferences (org_id, customer_id, do_not_email) values ($1, $2, true)
       on conflict (org_id, customer_id) do update set do_not_email = true",
    "update customers set status = 'blacklisted' where org_id = $1 and id = $2",
    "update customer_contacts set opt_in_marketing = false where org_id = $1 and customer_id = $2",
    "update customer_contacts set is_verified = false where org_id = $1 and customer_id = $2",
    "delete from customer_contacts where org_id = $1 and customer_id = $2",
    "insert into crm_opt_outs (org_id, channel, address) values ($1, 'email', $2::uuid || '@example.com')",
    "update customers set is_archived = true where org_id = $1 and id = $2",
];

async fn who_says_no_before_a_claim_gets_nothing_of_it(target: Target) {
    let org = Org::make(target).await;
    org.fill(10, "marketing").await;
    // Who has said no, and it is committed.
    let refused: Arc<Mutex<HashSet<Uuid>>> = Arc::default();
    let start = Arc::new(Barrier::new(SESSIONS));
    let mut tasks = JoinSet::new();
    for session in 0..SESSIONS {
        let (org, start, refused) = (org.clone(), start.clone(), refused.clone());
        tasks.spawn(async move {
            let mut context = Context::start(org.target).await;
            start.wait().await;
            if session % 4 == 0 {
                for (nth, customer) in org.customers.iter().enumerate().skip(session / 4).step_by(2)
                {
                    let sql = NOES[(nth / 2 + session) % NOES.len()];
                    context.client.execute(sql, &[&org.id, customer]).await.unwrap();
                    context.client.batch_execute("commit; begin").await.unwrap();
                    refused.lock().unwrap().insert(*customer);
                }
                return 0;
            }
            let mut handed_out = 0;
            loop {
                let before = refused.lock().unwrap().clone();
                let some = org.claim(&mut context, 5).await;
                for message in &some {
                    let customer = message["to"].as_str().unwrap().split('@').next().unwrap();
                    assert!(
                        !before.contains(&customer.parse().unwrap()),
                        "{customer} said no before"
                    );
                }
                handed_out += some.len();
                let waiting =
                    "select count(*) from crm_outbox where org_id = $1 and status = 'queued'";
                let left: i64 = context.client.query_one(waiting, &[&org.id]).await.unwrap().get(0);
                if left == 0 {
                    return handed_out;
                }
            }
        });
    }
    let handed_out: usize = tasks.join_all().await.into_iter().sum();
    let sql = "select count(*) from crm_outbox where org_id = $1 and status = 'refused'";
    let kept_back = usize::try_from(org.count(sql).await).unwrap();
    assert_eq!(handed_out + kept_back, CUSTOMERS * 10);
    org.remove().await;
}

async fn no_cap_is_exceeded_by_sessions_that_send_and_claim_at_once(target: Target) {
    let org = Org::make(target).await;
    org.execute("insert into crm_messaging_settings (org_id, marketing_cap_count, marketing_cap_hours) values ($1, 2, 24)").await;
    let start = Arc::new(Barrier::new(SESSIONS));
    let mut tasks = JoinSet::new();
    for session in 0..SESSIONS {
        let (org, start) = (org.clone(), start.clone());
        tasks.spawn(async move {
            let mut context = Context::start(org.target).await;
            start.wait().await;
            for round in 0..12 {
                let customer = org.customers[(round * 3 + session % 2) % 6];
                let message = json!({"customer_id": customer, "channel": "email", "purpose": "marketing", "subject": "Offer", "body": "Offer"});
                org.call(&mut context, "crm_send_message", message).await.unwrap();
                org.claim(&mut context, 10).await;
            }
        });
    }
    tasks.join_all().await;
    // What one session left to another.
    let mut context = Context::start(target).await;
    org.claim(&mut context, 1000).await;
    let sql = "select customer_id, count(*) filter (where status = 'sending'), count(*) from crm_outbox where org_id = $1 group by 1";
    let rows = context.client.query(sql, &[&org.id]).await.unwrap();
    let counts: HashMap<Uuid, (i64, i64)> =
        rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
    assert!(counts.values().all(|(out, all)| *out == 2.min(*all)), "{counts:?}");
    assert_eq!(counts.values().map(|(_, all)| *all).sum::<i64>(), 12 * 8);
    org.remove().await;
}

/// The one that is in the queue for longer came to light only when the other was about to go.
async fn two_that_do_not_see_each_other_do_not_exceed_a_cap(target: Target) {
    let org = Org::make(target).await;
    org.execute("insert into crm_messaging_settings (org_id, marketing_cap_count, marketing_cap_hours) values ($1, 1, 24)").await;
    let caller = As::Dba(org.id);
    let offer = json!({"customer_id": org.customers[0], "channel": "email", "purpose": "marketing",
        "subject": "Offer", "body": "Offer"});
    let arguments = json!({"providers": {"email": "postmark"}});
    let mut sends = Context::start(target).await;
    let sent = sends.call(caller, "crm_send_message", offer.clone()).await.unwrap();
    assert_eq!(sent["code"], "allowed");
    let mut later = Context::start(target).await;
    let sent = org.call(&mut later, "crm_send_message", offer).await.unwrap();
    assert_eq!(sent["code"], "allowed");
    // Both are due to who begins now.
    let mut claims = Context::start(target).await;
    let mut other = Context::start(target).await;
    let claimed = claims.call(caller, "crm_claim_messages", arguments.clone()).await.unwrap();
    assert_eq!(claimed["messages"][0]["id"], sent["id"]);
    sends.client.batch_execute("commit").await.unwrap();
    let claimed = org.call(&mut other, "crm_claim_messages", arguments.clone()).await.unwrap();
    assert_eq!((&claimed["messages"], &claimed["deferred"]), (&json!([]), &json!(0)));
    claims.client.batch_execute("commit").await.unwrap();
    let claimed = org.call(&mut other, "crm_claim_messages", arguments).await.unwrap();
    assert_eq!((&claimed["messages"], &claimed["deferred"]), (&json!([]), &json!(1)));
    org.remove().await;
}

async fn one_key_from_many_sessions_is_one_message(target: Target) {
    for _ in 0..rounds(3) {
        let org = Org::make(target).await;
        let start = Arc::new(Barrier::new(SESSIONS));
        let mut tasks = JoinSet::new();
        for _ in 0..SESSIONS {
            let (org, start) = (org.clone(), start.clone());
            tasks.spawn(async move {
                let mut context = Context::start(org.target).await;
                let mut made = Vec::new();
                for key in 0..5 {
                    let message = json!({"customer_id": org.customers[0], "channel": "email", "purpose": "transactional",
                        "subject": "Hello", "body": "Hello", "dedupe_key": format!("key {key}")});
                    start.wait().await;
                    let sent = org.call(&mut context, "crm_send_message", message).await.unwrap();
                    made.push((sent["id"].clone(), sent["created"] == true));
                }
                made
            });
        }
        let made = tasks.join_all().await;
        for key in 0..5 {
            let ids: HashSet<_> = made.iter().map(|made| made[key].0.to_string()).collect();
            assert_eq!(ids.len(), 1);
            assert_eq!(made.iter().filter(|made| made[key].1).count(), 1);
        }
        assert_eq!(org.count("select count(*) from crm_outbox where org_id = $1").await, 5);
        org.remove().await;
    }
}

async fn a_message_is_settled_once_whoever_says_so(target: Target) {
    let org = Org::make(target).await;
    org.fill(1, "transactional").await;
    let mut context = Context::start(target).await;
    let claimed = org.claim(&mut context, 1000).await;
    let mut tasks = JoinSet::new();
    let start = Arc::new(Barrier::new(SESSIONS));
    for session in 0..SESSIONS {
        let (org, start, claimed) = (org.clone(), start.clone(), claimed.clone());
        tasks.spawn(async move {
            let mut context = Context::start(org.target).await;
            let mut settled = Vec::new();
            for message in &claimed {
                let key = json!({"id": message["id"], "lease_id": message["lease_id"]});
                start.wait().await;
                let name =
                    if session % 2 == 0 { "crm_complete_message" } else { "crm_fail_message" };
                let mut arguments = key;
                if session % 2 == 1 {
                    arguments["retryable"] = json!(false);
                }
                let outcome = org.call(&mut context, name, arguments).await;
                settled.push(outcome.map(|row| row["status"].as_str().unwrap().to_owned()));
            }
            settled
        });
    }
    let settled = tasks.join_all().await;
    for nth in 0..claimed.len() {
        let outcomes: Vec<_> = settled.iter().map(|settled| &settled[nth]).collect();
        let said: HashSet<_> =
            outcomes.iter().filter_map(|outcome| outcome.as_deref().ok()).collect();
        assert_eq!(said.len(), 1, "{outcomes:?}");
        let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        assert!(refused.into_iter().all(|error| error.code == Code::WrongState));
    }
    let sent = "select count(*) from crm_outbox where org_id = $1 and status = 'sent'";
    let logged =
        "select count(distinct metadata ->> 'outbox_id') from crm_interactions where org_id = $1";
    let all = "select count(*) from crm_interactions where org_id = $1";
    assert_eq!(org.count(sent).await, org.count(all).await);
    assert_eq!(org.count(logged).await, org.count(all).await);
    org.remove().await;
}

macro_rules! races {
    ($($name:ident)*) => {
        mod native {
            $(#[tokio::test] async fn $name() { super::$name(crate::common::Target::Native).await; })*
        }
        mod extension {
            $(#[tokio::test] async fn $name() { super::$name(crate::common::Target::Extension).await; })*
        }
    };
}
races! {
    claims_at_once_hand_each_message_out_once
    who_says_no_before_a_claim_gets_nothing_of_it
    no_cap_is_exceeded_by_sessions_that_send_and_claim_at_once
    two_that_do_not_see_each_other_do_not_exceed_a_cap
    one_key_from_many_sessions_is_one_message
    a_message_is_settled_once_whoever_says_so
}
