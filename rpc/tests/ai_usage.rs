//! What models outside may cost, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, Target, VOLT, connect};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const SERVICE: As = As::Dba(NORTHWIND);
const OWNER: As = As::Northwind("owner");

scenarios! {
    a_question_counts_as_estimated_until_it_is_settled_once
    a_budget_that_is_spent_lets_nothing_through
    the_assistant_leaves_staff_their_part_of_the_budget
    who_wants_no_model_outside_is_charged_nothing
    each_org_has_its_own_budget_and_sees_its_own_cost
    settings_are_of_who_manages_the_org
    what_is_asked_is_checked_and_the_back_ends_alone
}

fn question(org: Uuid, micros: i64) -> Value {
    json!({"org_id": org, "feature": "draft", "provider": "openai", "model": "m", "estimated_micros": micros})
}

async fn budget(context: &Context, micros: i64) {
    let sql = "insert into ai_settings (org_id, monthly_budget_micros) values ($1, $2)
      on conflict (org_id) do update set monthly_budget_micros = excluded.monthly_budget_micros";
    context.client.execute(sql, &[&NORTHWIND, &micros]).await.unwrap();
}

async fn spent(context: &mut Context, caller: As) -> Value {
    let usage = context.call(caller, "crm_ai_usage", json!({})).await.unwrap();
    usage["spent_micros"].clone()
}

/// What the row that decides says.
async fn promised(context: &Context) -> i64 {
    let sql =
        "select coalesce(sum(spent_micros), 0)::bigint from fieldcrm.ai_spending where org_id = $1";
    context.client.query_one(sql, &[&NORTHWIND]).await.unwrap().get(0)
}

async fn a_question_counts_as_estimated_until_it_is_settled_once(context: &mut Context) {
    let asked = context.call(SERVICE, "crm_reserve_ai", question(NORTHWIND, 500)).await.unwrap();
    assert_eq!((&asked["is_enabled"], &asked["redact"]), (&json!(true), &json!(true)));
    assert_eq!((spent(context, OWNER).await, promised(context).await), (json!(500), 500));
    let settle = |cost: i64| json!({"org_id": NORTHWIND, "id": asked["id"], "input_tokens": 90, "output_tokens": 10, "cost_micros": cost});
    for cost in [120, 400] {
        context.call(SERVICE, "crm_settle_ai", settle(cost)).await.unwrap();
        assert_eq!((spent(context, OWNER).await, promised(context).await), (json!(120), 120));
    }
    let usage = context.call(OWNER, "crm_ai_usage", json!({})).await.unwrap();
    assert_eq!(
        usage["features"],
        json!([{"feature": "draft", "provider": "openai", "model": "m", "questions": 1, "input_tokens": 90,
            "output_tokens": 10, "cost_micros": 120}])
    );
    let before = context.call(OWNER, "crm_ai_usage", json!({"month": "2020-02"})).await.unwrap();
    assert_eq!((&before["spent_micros"], &before["month"]), (&json!(0), &json!("2020-02")));
}

async fn a_budget_that_is_spent_lets_nothing_through(context: &mut Context) {
    budget(context, 1000).await;
    let reserve = "crm_reserve_ai";
    context.refused(SERVICE, reserve, question(NORTHWIND, 1001), Code::AiBudgetSpent).await;
    let asked = context.call(SERVICE, reserve, question(NORTHWIND, 600)).await.unwrap();
    context.refused(SERVICE, reserve, question(NORTHWIND, 401), Code::AiBudgetSpent).await;
    context.call(SERVICE, reserve, question(NORTHWIND, 400)).await.unwrap();
    context.refused(SERVICE, reserve, question(NORTHWIND, 1), Code::AiBudgetSpent).await;
    assert_eq!(promised(context).await, 1000);
    // What it did not cost is there again.
    let settle = json!({"org_id": NORTHWIND, "id": asked["id"], "input_tokens": 1, "output_tokens": 1, "cost_micros": 100});
    context.call(SERVICE, "crm_settle_ai", settle).await.unwrap();
    context.call(SERVICE, reserve, question(NORTHWIND, 500)).await.unwrap();
    // Last month's money is last month's.
    let sql = "update fieldcrm.ai_spending set month = (month - interval '1 month')::date where org_id = $1";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    context.call(SERVICE, reserve, question(NORTHWIND, 1000)).await.unwrap();
}

async fn the_assistant_leaves_staff_their_part_of_the_budget(context: &mut Context) {
    budget(context, 1000).await;
    let reserve = "crm_reserve_ai";
    let assistant = |micros: i64| {
        let mut asked = question(NORTHWIND, micros);
        asked["feature"] = json!("assistant");
        asked
    };
    context.refused(SERVICE, reserve, assistant(501), Code::AiBudgetSpent).await;
    let asked = context.call(SERVICE, reserve, assistant(500)).await.unwrap();
    context.refused(SERVICE, reserve, assistant(1), Code::AiBudgetSpent).await;
    context.call(SERVICE, reserve, question(NORTHWIND, 500)).await.unwrap();
    let settle = json!({"org_id": NORTHWIND, "id": asked["id"], "input_tokens": 1, "output_tokens": 1, "cost_micros": 400});
    context.call(SERVICE, "crm_settle_ai", settle).await.unwrap();
    context.refused(SERVICE, reserve, assistant(101), Code::AiBudgetSpent).await;
    // What staff did not spend is not the assistant's, and what it did not spend is theirs.
    context.call(SERVICE, reserve, question(NORTHWIND, 60)).await.unwrap();
    context.refused(SERVICE, reserve, assistant(41), Code::AiBudgetSpent).await;
    context.call(SERVICE, reserve, assistant(40)).await.unwrap();
    let of_assistant = "select assistant_micros from fieldcrm.ai_spending where org_id = $1";
    let row = context.client.query_one(of_assistant, &[&NORTHWIND]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), promised(context).await), (440, 1000));
    let sql = "update ai_settings set assistant_percent = 0, monthly_budget_micros = 2000 where org_id = $1";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    context.refused(SERVICE, reserve, assistant(1), Code::AiBudgetSpent).await;
    context.call(SERVICE, reserve, question(NORTHWIND, 1000)).await.unwrap();
}

async fn who_wants_no_model_outside_is_charged_nothing(context: &mut Context) {
    let sql = "insert into ai_settings (org_id, is_enabled, redact) values ($1, false, false)
      on conflict (org_id) do update set is_enabled = false, redact = false";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    let asked = context.call(SERVICE, "crm_reserve_ai", question(NORTHWIND, 5)).await.unwrap();
    assert_eq!(asked, json!({"id": null, "is_enabled": false, "redact": false}));
    assert_eq!(promised(context).await, 0);
}

async fn each_org_has_its_own_budget_and_sees_its_own_cost(context: &mut Context) {
    budget(context, 10).await;
    context.refused(SERVICE, "crm_reserve_ai", question(NORTHWIND, 11), Code::AiBudgetSpent).await;
    let asked = context.call(SERVICE, "crm_reserve_ai", question(VOLT, 11)).await.unwrap();
    assert_eq!(spent(context, OWNER).await, 0);
    assert_eq!(spent(context, As::Volt("owner")).await, 11);
    let foreign = json!({"org_id": NORTHWIND, "id": asked["id"], "input_tokens": 1, "output_tokens": 1, "cost_micros": 0});
    context.refused(SERVICE, "crm_settle_ai", foreign, Code::NotFound).await;
    assert_eq!(spent(context, As::Volt("owner")).await, 11);
}

async fn settings_are_of_who_manages_the_org(context: &mut Context) {
    let write = "insert into ai_settings (monthly_budget_micros) values (7)";
    for (role, allowed) in [("csr", false), ("manager", true)] {
        context.client.batch_execute("savepoint settings").await.unwrap();
        context.client.execute("delete from ai_settings", &[]).await.unwrap();
        context.enter(As::Northwind(role), "authenticated").await;
        assert_eq!(context.client.execute(write, &[]).await.is_ok(), allowed, "{role}");
        context.client.batch_execute("rollback to settings").await.unwrap();
        context.leave().await;
    }
    context.refused(As::Northwind("csr"), "crm_ai_usage", json!({}), Code::Forbidden).await;
}

async fn what_is_asked_is_checked_and_the_back_ends_alone(context: &mut Context) {
    let (reserve, settle) = ("crm_reserve_ai", "crm_settle_ai");
    context.refused(OWNER, reserve, question(NORTHWIND, 5), Code::Forbidden).await;
    context.refused(SERVICE, reserve, question(Uuid::nil(), 5), Code::NotFound).await;
    for (path, value) in [
        ("estimated_micros", json!(-1)),
        ("feature", json!("chat")),
        ("model", json!("")),
        ("provider", json!("p".repeat(61))),
    ] {
        let mut wrong = question(NORTHWIND, 5);
        wrong[path] = value;
        context.refused(SERVICE, reserve, wrong, Code::InvalidArgument).await;
    }
    let wrong = json!({"org_id": NORTHWIND, "id": NORTHWIND, "input_tokens": -1, "output_tokens": 0, "cost_micros": 0});
    context.refused(SERVICE, settle, wrong, Code::InvalidArgument).await;
    context
        .refused(OWNER, "crm_ai_usage", json!({"month": "November"}), Code::InvalidArgument)
        .await;
}

/// Sixteen sessions ask at once; together they stay below the budget, or the assistant below its part.
async fn race(target: Target, feature: &'static str, most: usize) {
    let client = connect(target).await;
    let org = Uuid::from_u128(0xa1a1_0000_0000_4000_8000_0000_0000_0001);
    let clean = format!("delete from ai_usage where org_id = '{org}'; delete from fieldcrm.ai_spending where org_id = '{org}';
      delete from ai_settings where org_id = '{org}'; delete from orgs where id = '{org}'");
    client.batch_execute(&clean).await.unwrap();
    client
        .batch_execute(&format!(
            "insert into orgs (id, name, time_zone) values ('{org}', 'Race', 'UTC');
      insert into ai_settings (org_id, monthly_budget_micros) values ('{org}', 1000)"
        ))
        .await
        .unwrap();
    let askers = (0..16).map(|_| {
        tokio::spawn(async move {
            let mut context = Context::start(target).await;
            let mut asked = question(org, 100);
            asked["feature"] = json!(feature);
            let asked = context.call(As::Dba(org), "crm_reserve_ai", asked).await;
            context.client.batch_execute("commit").await.unwrap();
            asked.map_err(|error| error.code)
        })
    });
    let mut let_through = 0;
    for asker in askers {
        match asker.await.unwrap() {
            Ok(_) => let_through += 1,
            Err(code) => assert_eq!(code, Code::AiBudgetSpent),
        }
    }
    assert_eq!(let_through, most);
    let sql = "select spent_micros from fieldcrm.ai_spending where org_id = $1";
    let spent: i64 = client.query_one(sql, &[&org]).await.unwrap().get(0);
    assert_eq!(spent, i64::try_from(most).unwrap() * 100);
    client.batch_execute(&clean).await.unwrap();
}

#[tokio::test]
async fn native_questions_at_the_same_moment_stay_below_the_budget() {
    race(Target::Native, "draft", 10).await;
    race(Target::Native, "assistant", 5).await;
}

#[tokio::test]
async fn extension_questions_at_the_same_moment_stay_below_the_budget() {
    race(Target::Extension, "draft", 10).await;
    race(Target::Extension, "assistant", 5).await;
}
