//! The RLS helpers: the extension's, their SQL twin and core's matrix give the same answers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, Target, VOLT};
use fieldcrm_core::{Capability, Role};
use fieldcrm_rpc::{RPCS, RunsAs};
use serde_json::{Value, json};
use uuid::Uuid;

async fn answers(context: &Context) -> Value {
    let capabilities: Vec<_> = Capability::ALL.iter().map(|c| c.as_str()).collect();
    context
        .client
        .query_one(
            "select jsonb_build_object('org', fieldcrm.current_org_id(), 'profile', fieldcrm.current_profile_id(),
               'staff', fieldcrm.is_staff(), 'capabilities',
               (select jsonb_object_agg(c, fieldcrm.has_capability(c)) from unnest($1::text[]) c))",
            &[&capabilities],
        )
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn every_demo_user_gets_the_same_answers_from_both_and_from_core() {
    let native = Context::start(Target::Native).await;
    let extension = Context::start(Target::Extension).await;
    for (org, domain) in [(NORTHWIND, "northwind"), (VOLT, "volt")] {
        for role in Role::ALL {
            let user = native.user(&format!("{}@{domain}.example", role.as_str())).await;
            let expected = json!({
                "org": org, "profile": user, "staff": role.is_staff(),
                "capabilities": Capability::ALL.iter()
                    .map(|c| (c.as_str().to_owned(), json!(role.has(*c)))).collect::<serde_json::Map<_, _>>(),
            });
            for context in [&native, &extension] {
                context.enter(As::User(user), "authenticated").await;
                assert_eq!(answers(context).await, expected, "{role:?} of {domain}");
                context.leave().await;
            }
        }
    }
}

#[tokio::test]
async fn the_org_setting_counts_only_where_rls_does_not_apply() {
    for target in [Target::Native, Target::Extension] {
        let context = Context::start(target).await;
        context.enter(As::Dba(VOLT), "").await;
        assert_eq!(answers(&context).await["org"], json!(VOLT));
        context.enter(As::Northwind("csr"), "authenticated").await;
        let set = format!("set local app.current_org_id = '{VOLT}'");
        context.client.batch_execute(&set).await.unwrap();
        assert_eq!(answers(&context).await["org"], json!(NORTHWIND));
        // Nor does a claim: only its subject is read.
        let user = context.user_as_owner("csr@northwind.example").await;
        let forged = json!({"sub": user, "role": "service_role", "org_id": VOLT, "app_metadata": {"org_id": VOLT}});
        context
            .client
            .execute("select set_config('request.jwt.claims', $1, true)", &[&forged.to_string()])
            .await
            .unwrap();
        assert_eq!(answers(&context).await["org"], json!(NORTHWIND));
        for nonsense in ["", "{}", r#"{"sub":"1 or 1=1"}"#, r#"{"sub":null}"#] {
            context
                .client
                .execute("select set_config('request.jwt.claims', $1, true)", &[&nonsense])
                .await
                .unwrap();
            assert_eq!(answers(&context).await["org"], Value::Null, "{nonsense}");
        }
    }
}

#[tokio::test]
async fn an_unknown_capability_is_an_error_not_a_denial() {
    for target in [Target::Native, Target::Extension] {
        let context = Context::start(target).await;
        let asked = context
            .client
            .query_one("select fieldcrm.has_capability('customers.wirte')", &[])
            .await;
        assert_eq!(asked.unwrap_err().code().unwrap().code(), "22023");
    }
}

/// What is remembered for a snapshot is forgotten when somebody else commits or the caller writes.
#[tokio::test]
async fn a_change_of_rights_is_seen_by_the_next_statement_of_a_running_transaction() {
    let observer = Context::start(Target::Extension).await;
    let admin = common::connect(Target::Extension).await;
    let org: Uuid = admin
        .query_one("insert into orgs (name) values ('Moving') returning id", &[])
        .await
        .unwrap()
        .get(0);
    let email = format!("{org}@example.com");
    let id: Uuid = admin
        .query_one(
            "insert into auth.users (id, email) values (gen_random_uuid(), $1) returning id",
            &[&email],
        )
        .await
        .unwrap()
        .get(0);
    admin
        .execute("insert into profiles (id, org_id, role) values ($1, $2, 'csr')", &[&id, &org])
        .await
        .unwrap();
    observer.enter(As::User(id), "authenticated").await;
    assert_eq!(answers(&observer).await["capabilities"]["customers.write"], true);
    admin.execute("update profiles set role = 'viewer' where id = $1", &[&id]).await.unwrap();
    assert_eq!(answers(&observer).await["capabilities"]["customers.write"], false);
    admin.execute("update profiles set status = 'inactive' where id = $1", &[&id]).await.unwrap();
    assert_eq!(answers(&observer).await["org"], Value::Null);
    observer.leave().await;
    // The caller's own change, not committed, in the same transaction.
    observer
        .client
        .execute("update profiles set status = 'active', role = 'admin' where id = $1", &[&id])
        .await
        .unwrap();
    observer.enter(As::User(id), "authenticated").await;
    assert_eq!(answers(&observer).await["capabilities"]["customers.delete"], true);
    drop(observer);
    admin.execute("delete from auth.users where id = $1", &[&id]).await.unwrap();
    admin.execute("delete from orgs where id = $1", &[&org]).await.unwrap();
}

#[tokio::test]
async fn a_change_of_rights_that_is_rolled_back_is_forgotten() {
    for isolation in ["read committed", "repeatable read"] {
        let context = Context::start(Target::Extension).await;
        let begin = format!("rollback; begin isolation level {isolation}");
        context.client.batch_execute(&begin).await.unwrap();
        let csr = context.user("csr@northwind.example").await;
        context.enter(As::User(csr), "authenticated").await;
        assert_eq!(answers(&context).await["capabilities"]["members.manage"], false);
        context.client.batch_execute("savepoint s; reset role").await.unwrap();
        let promote = "update profiles set role = 'owner' where id = $1";
        context.client.execute(promote, &[&csr]).await.unwrap();
        // Somebody else's transaction ends meanwhile, so that the snapshot's bounds do not tell.
        let other = common::connect(Target::Extension).await;
        other.batch_execute("select pg_current_xact_id()").await.unwrap();
        context.client.batch_execute("set local role authenticated").await.unwrap();
        assert_eq!(answers(&context).await["capabilities"]["members.manage"], true);
        context.client.batch_execute("rollback to s").await.unwrap();
        let capabilities = &answers(&context).await["capabilities"];
        assert_eq!(capabilities["members.manage"], false, "{isolation}");
    }
}

/// The list in `fieldcrm_rpc::RPCS` is the truth about who an RPC runs as.
#[tokio::test]
async fn the_functions_of_the_extension_run_as_the_list_says() {
    let context = Context::start(Target::Extension).await;
    let rows = context
        .client
        .query(
            "select f.proname::text, b.prosecdef, f.prosecdef
             from pg_proc f join pg_proc b on b.pronamespace = 'fieldcrm'::regnamespace
               and f.prosrc ~ ('fieldcrm\\.' || b.proname || '\\(') and b.proname <> 'unwrap'
             where f.pronamespace = 'public'::regnamespace and f.prorettype <> 'trigger'::regtype
             order by f.proname::text collate \"C\"",
            &[],
        )
        .await
        .unwrap();
    let found: Vec<(String, bool)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut listed: Vec<(String, bool)> = RPCS
        .iter()
        .map(|(name, runs_as)| ((*name).to_owned(), *runs_as == RunsAs::Owner))
        .collect();
    listed.sort();
    assert_eq!(found, listed);
    assert!(rows.iter().all(|row| !row.get::<_, bool>(2)), "a public face is security definer");
}

/// Postgres keeps numbers and depths that Rust's JSON reader refuses: that is the client's mistake.
#[tokio::test]
async fn json_that_rust_cannot_read_is_a_bad_argument() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for locations in [r#"[{"address_line1": "x", "city": "y", "latitude": 1e400}]"#, &deep] {
        let context = Context::start(Target::Extension).await;
        context.enter(As::Northwind("csr"), "authenticated").await;
        let sql = format!(
            "select crm_create_customer(type => 'company', name => 'x', locations => '{locations}')"
        );
        let error = context.client.query_one(&sql, &[]).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.code().code(), "PT400", "{error:?}");
        let detail: Value = serde_json::from_str(error.detail().unwrap()).unwrap();
        assert_eq!(detail["code"], "invalid_argument");
    }
}

/// A body of an RPC called by itself returns its error as a value and rolls nothing back: the key
/// it claimed stands in nobody's way.
#[tokio::test]
async fn a_key_claimed_by_a_body_that_failed_can_be_used() {
    let context = Context::start(Target::Extension).await;
    context.enter(As::Northwind("csr"), "authenticated").await;
    let body = r#"select fieldcrm.create_customer('{"type": "company", "idempotency_key": "k"}') ? '$error'"#;
    assert!(context.client.query_one(body, &[]).await.unwrap().get::<_, bool>(0));
    let face =
        "select crm_create_customer(type => 'company', name => 'One', idempotency_key => 'k')";
    let made: Value = context.client.query_one(face, &[]).await.unwrap().get(0);
    assert_eq!(made["name"], "One");
}
