//! An org with customers, rules and events of its own.

#![allow(dead_code, reason = "each test binary uses a part")]

use crate::common::{As, Context};
use serde_json::{Value, json};
use tokio_postgres::types::Json;
use uuid::Uuid;

pub struct Arena {
    pub org: Uuid,
    /// C1, C2, …; their sources are s1, s0, s1, …
    pub customers: Vec<Uuid>,
}

/// The envelope around rules of a definition.
#[allow(clippy::needless_pass_by_value, reason = "called with json!")]
pub fn conditions(rules: Value) -> Value {
    json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": rules}})
}

pub fn followup(title: &str) -> Value {
    json!({"type": "create_followup", "title": title, "due_in_minutes": 60})
}

impl Arena {
    pub async fn make(context: &Context, customers: i64) -> Self {
        let sql = "insert into orgs (name) values ('Automation') returning id";
        let org = context.client.query_one(sql, &[]).await.unwrap().get(0);
        let sql = "insert into customers (org_id, type, name, source, created_at)
            select $1, 'company', 'C' || n, 's' || n % 2, now() + n * interval '1 second'
            from generate_series(1, $2::bigint) n returning id";
        let rows = context.client.query(sql, &[&org, &customers]).await.unwrap();
        Self { org, customers: rows.iter().map(|row| row.get(0)).collect() }
    }

    /// Saves a rule as it is given; what is absent has the table's default, and it hears `ping`.
    pub async fn rule(&self, context: &Context, rule: Value) -> Uuid {
        let mut whole = json!({"name": "Rule", "trigger_type": "event", "event_type": "ping"});
        whole.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
        let columns: Vec<_> = whole.as_object().unwrap().keys().cloned().collect();
        let columns = columns.join(", ");
        let sql = format!(
            "insert into crm_automation_rules (org_id, {columns})
             select $1, {columns} from jsonb_populate_record(null::crm_automation_rules, $2) returning id"
        );
        context.client.query_one(&sql, &[&self.org, &Json(whole)]).await.unwrap().get(0)
    }

    pub async fn ping(&self, context: &Context, customers: &[Uuid], payload: Value) {
        self.event(context, "ping", customers, "ping", payload).await;
    }

    /// One event a customer, with the key `<key>:<customer>`.
    pub async fn event(
        &self,
        context: &Context,
        event_type: &str,
        customers: &[Uuid],
        key: &str,
        payload: Value,
    ) {
        let sql = "insert into crm_events (org_id, event_type, customer_id, payload, event_key)
            select $1, $2, c, $4, $5 || ':' || c from unnest($3::uuid[]) c on conflict do nothing";
        let parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
            &[&self.org, &event_type, &customers, &Json(payload), &key];
        context.client.execute(sql, parameters).await.unwrap();
    }

    pub async fn run(&self, context: &mut Context) -> Value {
        self.run_some(context, 500).await
    }

    pub async fn run_some(&self, context: &mut Context, batch_limit: i64) -> Value {
        let arguments = json!({"batch_limit": batch_limit});
        context.call(As::Dba(self.org), "crm_run_automations", arguments).await.unwrap()
    }

    pub async fn due(&self, context: &mut Context) -> Value {
        context.call(As::Dba(self.org), "crm_process_time_based", json!({})).await.unwrap()
    }

    /// The runs, in the order in which they began.
    pub async fn runs(&self, context: &Context) -> Vec<Value> {
        let sql = "select to_jsonb(a) from crm_automation_runs a where org_id = $1
            order by (trigger_context ->> 'occurred_at')::timestamptz, occurrence_key, id";
        self.rows(context, sql).await
    }

    /// The follow-ups that were made.
    pub async fn made(&self, context: &Context) -> Vec<Value> {
        self.rows(context, "select to_jsonb(f) from crm_followups f where org_id = $1 order by id")
            .await
    }

    pub async fn queued(&self, context: &Context) -> i64 {
        let sql = "select count(*) from fieldcrm.event_queue where org_id = $1";
        context.client.query_one(sql, &[&self.org]).await.unwrap().get(0)
    }

    /// Lets so many minutes pass for what waits.
    pub async fn bring_forward(&self, context: &Context, minutes: i32) {
        let sql = format!(
            "update crm_automation_runs set due_at = due_at - interval '{minutes} minutes'
             where org_id = $1 and status = 'pending'"
        );
        self.execute(context, &sql).await;
    }

    pub async fn archive(&self, context: &Context, customer: Uuid) {
        let sql = format!(
            "update customers set is_archived = true where org_id = $1 and id = '{customer}'"
        );
        self.execute(context, &sql).await;
    }

    pub async fn erase(&self, context: &Context, customer: Uuid) {
        let sql = format!(
            "update customers set erased_at = now() - interval '1 day', name = 'Erased' where org_id = $1 and id = '{customer}'"
        );
        self.execute(context, &sql).await;
    }

    pub async fn member(&self, context: &Context, role: &str) -> Uuid {
        let id = context.newcomer(&format!("{role}@{}.example", self.org)).await;
        let sql = format!("insert into profiles (id, org_id, role) values ('{id}', $1, '{role}')");
        self.execute(context, &sql).await;
        id
    }

    pub async fn execute(&self, context: &Context, sql: &str) {
        context.client.execute(sql, &[&self.org]).await.unwrap();
    }

    /// The first column of the rows.
    pub async fn rows(&self, context: &Context, sql: &str) -> Vec<Value> {
        let rows = context.client.query(sql, &[&self.org]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub async fn value(&self, context: &Context, sql: &str) -> Value {
        self.rows(context, sql).await.remove(0)
    }
}
