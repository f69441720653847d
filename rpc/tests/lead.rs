//! Leads: made, changed, handed out, converted, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::agency::Agency;
use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const SALES: As = As::Northwind("sales");
const CSR: As = As::Northwind("csr");

scenarios! {
    a_lead_is_made_and_its_making_is_an_activity
    a_viewer_makes_and_changes_no_lead
    outsiders_do_not_know_that_there_is_a_lead
    a_lead_is_changed_and_its_status_is_an_activity
    the_dates_of_a_lead_are_the_database_s
    leads_go_round_the_team
    whoever_has_the_fewest_open_leads_gets_the_next
    who_is_no_part_of_the_team_gets_none
    a_project_without_a_team_hands_out_nothing
    a_lead_becomes_a_customer_once
    a_lead_that_is_reached_like_a_customer_is_that_customer
    a_lead_like_two_customers_is_for_people_to_decide
    a_lead_is_linked_to_the_customer_that_is_named
    what_belongs_to_an_erased_customer_is_emptied
    a_merged_customer_s_leads_go_with_it
}

async fn agency(context: &Context) -> Agency {
    let members = [("csr", "admin"), ("sales", "member"), ("viewer", "viewer")];
    Agency::make(context, NORTHWIND, &members).await
}

async fn create(context: &mut Context, agency: &Agency, lead: Value) -> Value {
    let mut input = json!({"project_id": agency.project_id});
    input.as_object_mut().unwrap().extend(lead.as_object().unwrap().clone());
    context.call(SALES, "crm_create_lead", input).await.unwrap()
}

async fn ada(context: &mut Context, agency: &Agency) -> Value {
    let lead = json!({"first_name": "Ada", "last_name": "Lovelace", "email": "ada@leads.example",
        "phone": "(415) 555-2671", "source": "referral", "notes": "Wants a pump."});
    create(context, agency, lead).await
}

async fn activities(context: &Context, lead: &Value) -> Vec<(String, Value)> {
    let id: Uuid = lead["id"].as_str().unwrap().parse().unwrap();
    let sql = "select action, jsonb_build_object('user', user_id, 'metadata', metadata)
        from activities where entity_id = $1 order by created_at, action";
    let rows = context.client.query(sql, &[&id]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn a_lead_is_made_and_its_making_is_an_activity(context: &mut Context) {
    let agency = agency(context).await;
    let lead = ada(context, &agency).await;
    assert_eq!(
        (&lead["phone"], &lead["phone_raw"]),
        (&json!("+14155552671"), &json!("(415) 555-2671"))
    );
    assert_eq!((&lead["status"], &lead["assigned_to"]), (&json!("new"), &Value::Null));
    assert_eq!(lead["client_id"], json!(agency.client_id));
    let sales = json!(context.user("sales@northwind.example").await);
    assert_eq!(lead["created_by_user_id"], sales);
    let found = activities(context, &lead).await;
    assert_eq!((found.len(), found[0].0.as_str(), &found[0].1["user"]), (1, "created", &sales));
    let input =
        json!({"project_id": agency.project_id, "first_name": "Once", "idempotency_key": "k"});
    let once = context.call(SALES, "crm_create_lead", input.clone()).await.unwrap();
    assert_eq!(context.call(SALES, "crm_create_lead", input).await.unwrap(), once);
}

async fn a_viewer_makes_and_changes_no_lead(context: &mut Context) {
    let agency = agency(context).await;
    let lead = ada(context, &agency).await;
    let viewer = As::Northwind("viewer");
    let user = context.user("viewer@northwind.example").await;
    for (name, arguments) in [
        ("crm_create_lead", json!({"project_id": agency.project_id, "first_name": "x"})),
        ("crm_update_lead", json!({"id": lead["id"], "patch": {"notes": "x"}})),
        ("crm_assign_lead", json!({"lead_id": lead["id"], "user_id": user})),
    ] {
        context.refused(viewer, name, arguments, Code::Forbidden).await;
    }
}

async fn outsiders_do_not_know_that_there_is_a_lead(context: &mut Context) {
    let agency = agency(context).await;
    let lead = ada(context, &agency).await;
    for caller in [As::Northwind("dispatcher"), As::Volt("owner"), As::Dba(VOLT)] {
        for (name, arguments) in [
            ("crm_create_lead", json!({"project_id": agency.project_id, "first_name": "x"})),
            ("crm_update_lead", json!({"id": lead["id"], "patch": {"notes": "x"}})),
            ("crm_assign_lead", json!({"lead_id": lead["id"]})),
        ] {
            context.refused(caller, name, arguments, Code::NotFound).await;
        }
    }
    let convert = json!({"lead_id": lead["id"]});
    context.refused(As::Volt("owner"), "crm_convert_lead", convert, Code::NotFound).await;
}

async fn a_lead_is_changed_and_its_status_is_an_activity(context: &mut Context) {
    let agency = agency(context).await;
    let lead = ada(context, &agency).await;
    let patch =
        json!({"status": "contacted", "notes": null, "tags": ["hot"], "phone": "+44 20 7946 0958"});
    let changed = context
        .call(SALES, "crm_update_lead", json!({"id": lead["id"], "patch": patch}))
        .await
        .unwrap();
    assert_eq!((&changed["status"], &changed["notes"]), (&json!("contacted"), &Value::Null));
    assert_eq!((&changed["tags"], &changed["phone"]), (&json!(["hot"]), &json!("+442079460958")));
    assert_eq!(changed["email"], lead["email"]);
    let again = json!({"id": lead["id"], "patch": {"status": "contacted"}});
    assert_eq!(context.call(SALES, "crm_update_lead", again).await.unwrap(), changed);
    let found = activities(context, &lead).await;
    let names: Vec<_> = found.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(names, ["created", "status_changed"], "the same status is no change");
    let metadata = &found[1].1["metadata"];
    assert_eq!((&metadata["from"], &metadata["to"]), (&json!("new"), &json!("contacted")));
    let error = context
        .refused(
            SALES,
            "crm_update_lead",
            json!({"id": lead["id"], "patch": {"email": "nope"}}),
            Code::InvalidArgument,
        )
        .await;
    assert_eq!(error.errors[0].path, "email");
}

async fn the_dates_of_a_lead_are_the_database_s(context: &mut Context) {
    let agency = agency(context).await;
    let lead = ada(context, &agency).await;
    let id: Uuid = lead["id"].as_str().unwrap().parse().unwrap();
    let sql = "update leads set updated_at = '2000-01-01', created_at = '2000-01-01' where id = $1";
    context.client.execute(sql, &[&id]).await.unwrap();
    let sql = "update leads set notes = 'x', updated_at = '1999-01-01' where id = $1 returning updated_at = now()";
    let kept: bool = context.client.query_one(sql, &[&id]).await.unwrap().get(0);
    assert!(kept, "updated_at is the time of the change");
    let set = async |context: &mut Context, status: &str| {
        let arguments = json!({"id": id, "patch": {"status": status}});
        context.call(SALES, "crm_update_lead", arguments).await.unwrap()["converted_at"].take()
    };
    assert!(set(context, "converted").await.is_string());
    assert_eq!(set(context, "qualified").await, Value::Null);
}

async fn assign(context: &mut Context, lead: &Value, how: Value) -> Value {
    let mut input = json!({"lead_id": lead["id"]});
    input.as_object_mut().unwrap().extend(how.as_object().unwrap().clone());
    context.call(CSR, "crm_assign_lead", input).await.unwrap()["assigned_to"].take()
}

async fn leads_go_round_the_team(context: &mut Context) {
    let agency = agency(context).await;
    agency.set(context, json!({"lead_assignment": "round_robin"})).await;
    let csr = json!(context.user("csr@northwind.example").await);
    let sales = json!(context.user("sales@northwind.example").await);
    let mut got = Vec::new();
    for name in ["a", "b", "c", "d"] {
        got.push(create(context, &agency, json!({"first_name": name})).await);
    }
    let whose: Vec<_> = got.iter().map(|lead| &lead["assigned_to"]).collect();
    assert_eq!(whose[0], whose[2]);
    assert_eq!(whose[1], whose[3]);
    assert!([&csr, &sales].contains(&whose[0]) && whose[0] != whose[1], "the viewer gets none");
    assert!(got[0]["assigned_at"].is_string());
    // Somebody who got one by hand has had their turn.
    let by_hand = whose[0].clone();
    let lead = create(context, &agency, json!({"first_name": "e", "assigned_to": by_hand})).await;
    assert_eq!(lead["assigned_to"], by_hand);
    assert_eq!(
        &create(context, &agency, json!({"first_name": "f"})).await["assigned_to"],
        whose[1]
    );
    let unassigned = json!({"id": lead["id"], "patch": {"assigned_to": null}});
    let lead = context.call(SALES, "crm_update_lead", unassigned).await.unwrap();
    assert_eq!((&lead["assigned_to"], &lead["assigned_at"]), (&Value::Null, &Value::Null));
    assert_eq!(&assign(context, &lead, json!({})).await, whose[0]);
}

async fn whoever_has_the_fewest_open_leads_gets_the_next(context: &mut Context) {
    let agency = agency(context).await;
    let csr = json!(context.user("csr@northwind.example").await);
    let sales = json!(context.user("sales@northwind.example").await);
    for (who, status, count) in [(&csr, "lost", 3), (&sales, "new", 2)] {
        for _ in 0..count {
            let lead = json!({"first_name": "x", "assigned_to": who, "status": status});
            create(context, &agency, lead).await;
        }
    }
    agency.set(context, json!({"lead_assignment": "least_loaded"})).await;
    let mut got = Vec::new();
    for _ in 0..3 {
        got.push(create(context, &agency, json!({"first_name": "y"})).await["assigned_to"].take());
    }
    assert_eq!(got[..2], [csr.clone(), csr.clone()], "what is lost is no load");
    // Even now: whoever waits for longest.
    assert_eq!(got[2], sales);
    let lead = create(context, &agency, json!({"first_name": "z", "assigned_to": csr})).await;
    assert_eq!(assign(context, &lead, json!({"strategy": "round_robin"})).await, sales);
}

async fn who_is_no_part_of_the_team_gets_none(context: &mut Context) {
    let agency = agency(context).await;
    let lead = ada(context, &agency).await;
    for email in ["viewer@northwind.example", "dispatcher@northwind.example", "csr@volt.example"] {
        let user = context.user(email).await;
        for (name, arguments, path) in [
            ("crm_assign_lead", json!({"lead_id": lead["id"], "user_id": user}), "user_id"),
            (
                "crm_update_lead",
                json!({"id": lead["id"], "patch": {"assigned_to": user}}),
                "assigned_to",
            ),
        ] {
            let error = context.refused(CSR, name, arguments, Code::InvalidArgument).await;
            let error = &error.errors[0];
            assert_eq!(
                (error.path.as_str(), error.code.as_str()),
                (path, "unknown_assignee"),
                "{email}"
            );
        }
    }
    let sql = "update profiles set status = 'inactive' where email = 'sales@northwind.example'";
    context.client.execute(sql, &[]).await.unwrap();
    let csr = json!(context.user("csr@northwind.example").await);
    for _ in 0..2 {
        assert_eq!(assign(context, &lead, json!({"strategy": "round_robin"})).await, csr);
    }
}

async fn a_project_without_a_team_hands_out_nothing(context: &mut Context) {
    let agency = Agency::make(context, NORTHWIND, &[("viewer", "viewer")]).await;
    agency.set(context, json!({"lead_assignment": "round_robin"})).await;
    let owner = As::Northwind("owner");
    let input = json!({"project_id": agency.project_id, "first_name": "x"});
    let lead = context.call(owner, "crm_create_lead", input).await.unwrap();
    assert_eq!(lead["assigned_to"], Value::Null);
    let arguments = json!({"lead_id": lead["id"]});
    context.refused(owner, "crm_assign_lead", arguments, Code::RuleBroken).await;
}

async fn convert(context: &mut Context, lead: &Value, how: Value) -> Value {
    let mut input = json!({"lead_id": lead["id"]});
    input.as_object_mut().unwrap().extend(how.as_object().unwrap().clone());
    context.call(SALES, "crm_convert_lead", input).await.unwrap()
}

async fn a_lead_becomes_a_customer_once(context: &mut Context) {
    let agency = agency(context).await;
    let lead = ada(context, &agency).await;
    let done = convert(context, &lead, json!({})).await;
    assert_eq!(done["created"], true);
    assert_eq!(done["lead"]["status"], "converted");
    assert_eq!(done["lead"]["customer_id"], done["customer_id"]);
    let get = json!({"id": done["customer_id"]});
    let customer = context.call(SALES, "crm_get_customer", get).await.unwrap();
    assert_eq!(
        (&customer["name"], &customer["source"]),
        (&json!("Ada Lovelace"), &json!("referral"))
    );
    assert_eq!(
        (&customer["lifecycle_stage"], &customer["pipeline_stage"], &customer["status"]),
        (&json!("customer"), &json!("closed_won"), &json!("active"))
    );
    assert_eq!(customer["contacts"].as_array().unwrap().len(), 2);
    let again = convert(context, &lead, json!({})).await;
    assert_eq!((&again["customer_id"], &again["created"]), (&done["customer_id"], &json!(false)));
    assert_eq!(again["lead"], done["lead"]);
    let other = json!({"lead_id": lead["id"], "customer_id": Uuid::from_u128(7)});
    let error = context.refused(SALES, "crm_convert_lead", other, Code::WrongState).await;
    assert_eq!(error.data["customer_id"], done["customer_id"]);
}

async fn customer(context: &mut Context, email: &str) -> Value {
    let input = json!({"type": "individual", "name": "Ada L.", "email": email});
    context.call(SALES, "crm_create_customer", input).await.unwrap()
}

async fn a_lead_that_is_reached_like_a_customer_is_that_customer(context: &mut Context) {
    let agency = agency(context).await;
    let known = customer(context, "ada@leads.example").await;
    // The other org's customer with the same address is not asked.
    let input = json!({"type": "individual", "name": "Ada", "email": "ada@leads.example"});
    context.call(As::Volt("sales"), "crm_create_customer", input).await.unwrap();
    let lead = ada(context, &agency).await;
    let done = convert(context, &lead, json!({})).await;
    assert_eq!((&done["customer_id"], &done["created"]), (&known["id"], &json!(false)));
    let customer =
        context.call(SALES, "crm_get_customer", json!({"id": known["id"]})).await.unwrap();
    assert_eq!(
        (&customer["lifecycle_stage"], &customer["pipeline_stage"], &customer["status"]),
        (&json!("customer"), &json!("closed_won"), &json!("active"))
    );
}

async fn a_lead_like_two_customers_is_for_people_to_decide(context: &mut Context) {
    let agency = agency(context).await;
    let one = customer(context, "ada@leads.example").await;
    customer(context, "ada@leads.example").await;
    let lead = ada(context, &agency).await;
    let arguments = json!({"lead_id": lead["id"]});
    let error = context.refused(SALES, "crm_convert_lead", arguments, Code::Conflict).await;
    assert_eq!(error.data["customer_ids"].as_array().unwrap().len(), 2);
    let done = convert(context, &lead, json!({"customer_id": one["id"]})).await;
    assert_eq!(done["customer_id"], one["id"]);
}

async fn a_lead_is_linked_to_the_customer_that_is_named(context: &mut Context) {
    let agency = agency(context).await;
    let lead = ada(context, &agency).await;
    let input = json!({"type": "company", "name": "Theirs"});
    let theirs = context.call(As::Volt("csr"), "crm_create_customer", input).await.unwrap();
    for id in [theirs["id"].clone(), json!(Uuid::from_u128(7))] {
        let arguments = json!({"lead_id": lead["id"], "customer_id": id});
        context.refused(SALES, "crm_convert_lead", arguments, Code::NotFound).await;
    }
    let gone = customer(context, "gone@leads.example").await;
    let owner = As::Northwind("owner");
    context.call(owner, "crm_erase_customer", json!({"id": gone["id"]})).await.unwrap();
    let arguments = json!({"lead_id": lead["id"], "customer_id": gone["id"]});
    context.refused(SALES, "crm_convert_lead", arguments, Code::WrongState).await;
    context
        .refused(
            As::Northwind("viewer"),
            "crm_convert_lead",
            json!({"lead_id": lead["id"]}),
            Code::Forbidden,
        )
        .await;
}

async fn what_belongs_to_an_erased_customer_is_emptied(context: &mut Context) {
    let agency = agency(context).await;
    let lead = ada(context, &agency).await;
    let bystander = create(context, &agency, json!({"first_name": "Grace"})).await;
    let message = json!({"lead_id": lead["id"], "content": "I am Ada", "platform": "sms"});
    context.call(SALES, "process_incoming_message", message).await.unwrap();
    let done = convert(context, &lead, json!({})).await;
    let owner = As::Northwind("owner");
    let id = json!({"id": done["customer_id"]});
    let all = context.call(owner, "crm_export_customer", id.clone()).await.unwrap();
    assert_eq!(all["leads"][0]["email"], "ada@leads.example");
    assert_eq!(all["leads"][0]["messages"][0]["content"], "I am Ada");
    context.call(owner, "crm_erase_customer", id).await.unwrap();
    let lead_id: Uuid = lead["id"].as_str().unwrap().parse().unwrap();
    let sql = "select to_jsonb(l)::text || (select jsonb_agg(m)::text from messages m where m.lead_id = l.id)
        from leads l where l.id = $1";
    let left: String = context.client.query_one(sql, &[&lead_id]).await.unwrap().get(0);
    for trace in ["Ada", "Lovelace", "leads.example", "5552671", "555-2671", "pump"] {
        assert!(!left.contains(trace), "{trace} is still there: {left}");
    }
    assert!(left.contains("converted"), "that there was one stays");
    let other: Uuid = bystander["id"].as_str().unwrap().parse().unwrap();
    let sql = "select first_name from leads where id = $1";
    let name: String = context.client.query_one(sql, &[&other]).await.unwrap().get(0);
    assert_eq!(name, "Grace");
}

async fn a_merged_customer_s_leads_go_with_it(context: &mut Context) {
    let agency = agency(context).await;
    let lead = ada(context, &agency).await;
    let done = convert(context, &lead, json!({})).await;
    let survivor = customer(context, "other@leads.example").await;
    let merge = json!({"id": survivor["id"], "duplicate_id": done["customer_id"]});
    context.call(SALES, "crm_merge_customers", merge).await.unwrap();
    let again = convert(context, &lead, json!({})).await;
    assert_eq!(again["customer_id"], survivor["id"]);
}
