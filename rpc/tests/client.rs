//! Clients, and who may enter them, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::agency::Agency;
use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const SALES: As = As::Northwind("sales");

scenarios! {
    whoever_makes_a_client_is_its_admin
    who_may_not_create_clients_is_refused
    a_client_is_made_once_by_one_key
    a_project_begins_with_the_team_of_its_client
    everybody_may_ask_about_themselves_only
    access_follows_the_membership_and_the_rank
    nobody_enters_what_belongs_to_the_other_org
    a_member_who_is_out_is_out_at_once
    portal_users_enter_nothing_though_a_list_names_them
    the_figures_of_a_project_are_those_of_its_leads
    a_rate_counts_the_days_of_the_org
}

async fn rows(context: &Context, sql: &str, id: Uuid) -> Vec<Value> {
    let sql = format!("select to_jsonb(x) from ({sql}) x");
    let rows = context.client.query(&sql, &[&id]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn whoever_makes_a_client_is_its_admin(context: &mut Context) {
    let input = json!({"name": " Acme ", "contact_info": {"email": "office@acme.example"}});
    let made = context.call(SALES, "crm_create_client", input).await.unwrap();
    assert_eq!((&made["name"], &made["status"]), (&json!("Acme"), &json!("ACTIVE")));
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let sales = context.user("sales@northwind.example").await;
    let members = "select user_id, role from client_members where client_id = $1";
    assert_eq!(rows(context, members, id).await, [json!({"user_id": sales, "role": "admin"})]);
    let arguments = json!({"user_id": sales, "client_id": id});
    assert_eq!(context.call(SALES, "can_access_client", arguments).await.unwrap(), true);
}

async fn who_may_not_create_clients_is_refused(context: &mut Context) {
    for role in ["viewer", "member", "dispatcher", "technician", "client_admin", "portal_customer"]
    {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_create_client", json!({"name": "x"}), Code::Forbidden).await;
    }
    let error = context
        .refused(SALES, "crm_create_client", json!({"name": " "}), Code::InvalidArgument)
        .await;
    assert_eq!(error.errors[0].path, "name");
}

async fn a_client_is_made_once_by_one_key(context: &mut Context) {
    let input = json!({"name": "Once", "idempotency_key": "once"});
    let first = context.call(SALES, "crm_create_client", input.clone()).await.unwrap();
    assert_eq!(context.call(SALES, "crm_create_client", input).await.unwrap(), first);
}

async fn a_project_begins_with_the_team_of_its_client(context: &mut Context) {
    let members = [("csr", "admin"), ("sales", "member"), ("viewer", "viewer")];
    let agency = Agency::make(context, NORTHWIND, &members).await;
    let team = rows(
        context,
        "select p.role as who, m.role from project_members m join profiles p on p.id = m.user_id
         where m.project_id = $1 order by 1",
        agency.project_id,
    )
    .await;
    let expect = json!([{"who": "csr", "role": "manager"}, {"who": "sales", "role": "member"},
        {"who": "viewer", "role": "viewer"}]);
    assert_eq!(json!(team), expect);
}

async fn everybody_may_ask_about_themselves_only(context: &mut Context) {
    let agency = Agency::make(context, NORTHWIND, &[("sales", "member")]).await;
    let sales = context.user("sales@northwind.example").await;
    let ask = json!({"user_id": sales, "client_id": agency.client_id});
    context
        .refused(As::Northwind("owner"), "can_access_client", ask.clone(), Code::Forbidden)
        .await;
    let service = As::Dba(NORTHWIND);
    assert_eq!(context.call(service, "can_access_client", ask).await.unwrap(), true);
    let nobody = json!({"user_id": Uuid::from_u128(7), "client_id": agency.client_id});
    assert_eq!(context.call(service, "can_access_client", nobody).await.unwrap(), false);
}

async fn access_follows_the_membership_and_the_rank(context: &mut Context) {
    let members = [("csr", "admin"), ("sales", "member"), ("viewer", "viewer")];
    let agency = Agency::make(context, NORTHWIND, &members).await;
    let sql = "insert into leads (org_id, client_id, project_id, first_name) values ($1, $2, $3, 'Ada') returning id";
    let ids: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&agency.org_id, &agency.client_id, &agency.project_id];
    let lead: Uuid = context.client.query_one(sql, &ids).await.unwrap().get(0);
    for (role, enters, manages) in [
        ("owner", true, true),
        ("manager", true, true),
        ("csr", true, true),
        ("sales", true, true),
        ("viewer", true, false),
        ("dispatcher", false, false),
        ("technician", false, false),
    ] {
        let caller = As::Northwind(role);
        let user = context.user(&format!("{role}@northwind.example")).await;
        for (name, key, id, expect) in [
            ("can_access_client", "client_id", agency.client_id, enters),
            ("can_access_project", "project_id", agency.project_id, enters),
            ("can_manage_lead", "lead_id", lead, manages),
        ] {
            let ask = json!({"user_id": user, key: id});
            assert_eq!(context.call(caller, name, ask).await.unwrap(), expect, "{role} {name}");
            let absent = json!({"user_id": user, key: Uuid::from_u128(7)});
            assert_eq!(context.call(caller, name, absent).await.unwrap(), false);
        }
    }
}

async fn nobody_enters_what_belongs_to_the_other_org(context: &mut Context) {
    let agency = Agency::make(context, NORTHWIND, &[]).await;
    let owner = context.user("owner@volt.example").await;
    for (name, key, id) in [
        ("can_access_client", "client_id", agency.client_id),
        ("can_access_project", "project_id", agency.project_id),
    ] {
        let ask = json!({"user_id": owner, key: id});
        assert_eq!(context.call(As::Volt("owner"), name, ask.clone()).await.unwrap(), false);
        assert_eq!(context.call(As::Dba(VOLT), name, ask.clone()).await.unwrap(), false);
        assert_eq!(context.call(As::Dba(NORTHWIND), name, ask).await.unwrap(), false);
    }
    for name in ["get_project_summary", "get_source_performance", "calculate_conversion_rate"] {
        let ask = json!({"project_id": agency.project_id});
        context.refused(As::Volt("owner"), name, ask, Code::NotFound).await;
    }
}

async fn a_member_who_is_out_is_out_at_once(context: &mut Context) {
    let agency = Agency::make(context, NORTHWIND, &[("sales", "member")]).await;
    let sales = context.user("sales@northwind.example").await;
    let ask = json!({"user_id": sales, "project_id": agency.project_id});
    assert_eq!(context.call(SALES, "can_access_project", ask.clone()).await.unwrap(), true);
    let sql = "delete from client_members where client_id = $1 and user_id = $2";
    context.client.execute(sql, &[&agency.client_id, &sales]).await.unwrap();
    assert_eq!(context.call(SALES, "can_access_project", ask).await.unwrap(), false);
    let team = "select user_id from project_members where project_id = $1";
    assert!(rows(context, team, agency.project_id).await.is_empty(), "nor is on the team");
    let summary = json!({"project_id": agency.project_id});
    context.refused(SALES, "get_project_summary", summary, Code::NotFound).await;
}

async fn portal_users_enter_nothing_though_a_list_names_them(context: &mut Context) {
    let agency = Agency::make(context, NORTHWIND, &[("portal_customer", "admin")]).await;
    let caller = As::Northwind("portal_customer");
    let user = context.user("portal_customer@northwind.example").await;
    let ask = json!({"user_id": user, "client_id": agency.client_id});
    assert_eq!(context.call(caller, "can_access_client", ask).await.unwrap(), false);
    let summary = json!({"project_id": agency.project_id});
    context.refused(caller, "get_project_summary", summary, Code::NotFound).await;
}

async fn add_leads(context: &Context, agency: &Agency, leads: &[(&str, Option<&str>, &str)]) {
    for (status, source, at) in leads {
        let sql = "insert into leads (org_id, client_id, project_id, first_name, status, source, created_at)
            values ($1, $2, $3, 'x', $4, $5, $6::text::timestamptz)";
        let (org, client, project) = (agency.org_id, agency.client_id, agency.project_id);
        context.client.execute(sql, &[&org, &client, &project, status, source, at]).await.unwrap();
    }
}

async fn the_figures_of_a_project_are_those_of_its_leads(context: &mut Context) {
    let agency = Agency::make(context, NORTHWIND, &[("viewer", "viewer")]).await;
    let viewer = As::Northwind("viewer");
    let ask = json!({"project_id": agency.project_id});
    assert_eq!(context.call(viewer, "calculate_conversion_rate", ask.clone()).await.unwrap(), 0);
    let none = context.call(viewer, "get_source_performance", ask.clone()).await.unwrap();
    assert_eq!(none, json!([]));
    add_leads(
        context,
        &agency,
        &[
            ("new", Some("google_ads"), "2026-03-01T12:00Z"),
            ("converted", Some("google_ads"), "2026-03-02T12:00Z"),
            ("converted", Some("referral"), "2026-03-03T12:00Z"),
            ("lost", None, "2026-03-04T12:00Z"),
            ("lost", Some("google_ads"), "2026-03-05T12:00Z"),
        ],
    )
    .await;
    // Another project of the client is not counted.
    let other = Agency::project(context, NORTHWIND, agency.client_id).await;
    let other = Agency { project_id: other, ..agency };
    add_leads(context, &other, &[("converted", Some("organic"), "2026-03-02T12:00Z")]).await;
    let rate = context.call(viewer, "calculate_conversion_rate", ask.clone()).await.unwrap();
    assert_eq!(rate, 0.4);
    let sources = context.call(viewer, "get_source_performance", ask.clone()).await.unwrap();
    let expect = json!([{"source": "google_ads", "count": 3, "rate": 0.3333},
        {"source": "referral", "count": 1, "rate": 1.0}, {"source": "unknown", "count": 1, "rate": 0.0}]);
    assert_eq!(sources, expect);
    let summary = context.call(viewer, "get_project_summary", ask).await.unwrap();
    assert_eq!((&summary["leads"]["total"], &summary["conversion_rate"]), (&json!(5), &json!(0.4)));
    let by_status =
        json!({"new": 1, "contacted": 0, "qualified": 0, "proposal": 0, "converted": 2, "lost": 2});
    assert_eq!(summary["leads"]["by_status"], by_status);
    assert_eq!(summary["sources"], json!({"google_ads": 3, "referral": 1, "unknown": 1}));
    assert_eq!((&summary["team"], &summary["conversations"]), (&json!(1), &json!(0)));
}

async fn a_rate_counts_the_days_of_the_org(context: &mut Context) {
    // Chicago is six hours behind in January: the first one came in on the day before.
    let agency = Agency::make(context, NORTHWIND, &[]).await;
    add_leads(
        context,
        &agency,
        &[("converted", None, "2026-01-02T05:59Z"), ("lost", None, "2026-01-02T06:00Z")],
    )
    .await;
    for (range, expect) in [
        ("[2026-01-01,2026-01-02)", 1.0),
        ("[2026-01-02,2026-01-03)", 0.0),
        ("[2026-01-01,2026-01-02]", 0.5),
        ("(,2026-01-02)", 1.0),
        ("[2026-01-02,)", 0.0),
        ("(,)", 0.5),
        ("empty", 0.0),
    ] {
        let ask = json!({"project_id": agency.project_id, "date_range": range});
        let owner = As::Northwind("owner");
        let rate = context.call(owner, "calculate_conversion_rate", ask).await.unwrap();
        assert_eq!(rate.as_f64(), Some(expect), "{range}");
    }
}
