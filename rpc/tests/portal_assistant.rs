//! Conversations with the portal's assistant, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::household::{household, manager, safe, sign_in, visit};
use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use fieldcrm_core::portal_assistant::{
    DISCLAIMER, MAX_QUESTIONS, MAX_QUESTIONS_PER_DAY, MAX_QUESTIONS_PER_HOUR, MAX_STARTS_PER_HOUR,
};
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
const JOB: As = As::Dba(Uuid::nil());

scenarios! {
    a_conversation_begins_with_what_the_assistant_is
    a_conversation_is_about_a_visit_that_the_account_sees
    the_same_key_again_begins_and_asks_once
    conversations_are_listed_to_who_had_them_alone
    a_question_has_one_answer
    only_the_back_end_answers_and_only_where_it_was_asked
    what_an_answer_did_cost_is_for_staff
    the_assistant_knows_what_this_customer_sees_and_nothing_else
    who_sees_one_place_has_the_visits_of_that_place
    what_is_handed_over_becomes_one_thread_of_which_staff_are_told
    what_is_over_takes_no_more_questions
    there_is_an_end_to_questions
    a_question_is_put_to_a_model_three_times_at_most
    who_was_erased_is_told_nothing_more
    a_visit_that_is_seen_no_more_takes_its_conversation_along
}

fn uuid(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

async fn start(context: &mut Context, who: As) -> Uuid {
    let made = context.call(who, "portal_start_ai_conversation", json!({})).await.unwrap();
    uuid(&made["id"])
}

async fn ask(context: &mut Context, who: As, conversation: Uuid, text: &str) -> Uuid {
    let arguments = json!({"conversation_id": conversation, "content": text});
    uuid(&context.call(who, "portal_add_ai_message", arguments).await.unwrap()["id"])
}

fn answering(conversation: Uuid, question: Uuid, text: &str) -> Value {
    json!({"org_id": NORTHWIND, "conversation_id": conversation, "message_id": question, "content": text,
        "refused": false, "provider": "openai", "model": "m-1", "input_tokens": 100, "output_tokens": 20,
        "citations": [{"slug": "valve", "title": "The valve", "chunk_index": 0, "sentence": "Close it."}]})
}

async fn conversation(context: &mut Context, who: As, id: Uuid) -> Value {
    let arguments = json!({"conversation_id": id});
    context.call(who, "portal_get_ai_conversation", arguments).await.unwrap()
}

async fn knows(context: &mut Context, who: As, question: Uuid) -> Value {
    context.call(who, "portal_ai_context", json!({"message_id": question})).await.unwrap()
}

async fn count(context: &Context, sql: &str) -> i64 {
    context.client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn a_conversation_begins_with_what_the_assistant_is(context: &mut Context) {
    let home = household(context, "ann").await;
    let arguments = json!({"context_type": "billing_question"});
    let made = context.call(home.user(), "portal_start_ai_conversation", arguments).await.unwrap();
    assert_eq!(
        (&made["context_type"], &made["status"], &made["customer_id"]),
        (&json!("billing_question"), &json!("active"), &json!(home.customer))
    );
    let messages = made["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (&messages[0]["role"], &messages[0]["content"]),
        (&json!("system"), &json!(DISCLAIMER))
    );
    assert_eq!(conversation(context, home.user(), uuid(&made["id"])).await, made);
    let wrong = json!({"context_type": "gossip"});
    let error = context
        .refused(home.user(), "portal_start_ai_conversation", wrong, Code::InvalidArgument)
        .await;
    assert_eq!(error.errors[0].path, "context_type");
    // Who has no account has no assistant.
    context.refused(CSR, "portal_start_ai_conversation", json!({}), Code::NoMembership).await;
}

async fn a_conversation_is_about_a_visit_that_the_account_sees(context: &mut Context) {
    let home = household(context, "ann").await;
    let other = household(context, "ben").await;
    let name = "portal_start_ai_conversation";
    let theirs = visit(context, other.customer, None, 24, &[]).await;
    for id in [theirs, Uuid::max()] {
        let arguments = json!({"related_work_order_id": id});
        let error = context.refused(home.user(), name, arguments, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].code, "unknown_work_order");
    }
    let manager = manager(context, &[(other.customer, None)]).await;
    let arguments = json!({"related_work_order_id": theirs});
    let made = context.call(manager.user(), name, arguments).await.unwrap();
    assert_eq!(
        (&made["customer_id"], &made["related_work_order_id"]),
        (&json!(other.customer), &json!(theirs))
    );
}

async fn the_same_key_again_begins_and_asks_once(context: &mut Context) {
    let home = household(context, "ann").await;
    let new = json!({"idempotency_key": "k1"});
    let name = "portal_start_ai_conversation";
    let first = context.call(home.user(), name, new.clone()).await.unwrap();
    assert_eq!(context.call(home.user(), name, new).await.unwrap(), first);
    let name = "portal_add_ai_message";
    let question =
        json!({"conversation_id": first["id"], "content": " Why? ", "idempotency_key": "k2"});
    let asked = context.call(home.user(), name, question.clone()).await.unwrap();
    assert_eq!(asked["content"], "Why?");
    assert_eq!(context.call(home.user(), name, question.clone()).await.unwrap(), asked);
    let mut other = question;
    other["content"] = json!("How?");
    context.refused(home.user(), name, other, Code::IdempotencyKeyReused).await;
    let whole = conversation(context, home.user(), uuid(&first["id"])).await;
    assert_eq!(whole["messages"].as_array().unwrap().len(), 2);
}

async fn conversations_are_listed_to_who_had_them_alone(context: &mut Context) {
    let home = household(context, "ann").await;
    let other = household(context, "ben").await;
    // Another login of the same customer: what somebody asked is theirs.
    let (spouse, _) = sign_in(context, home.customer, "spouse@home.example", "customer").await;
    let first = start(context, home.user()).await;
    let question = ask(context, home.user(), first, "Why is it cold?").await;
    let second = start(context, home.user()).await;
    let name = "portal_list_ai_conversations";
    let page = context.call(home.user(), name, json!({"page_size": 1})).await.unwrap();
    assert_eq!(page["items"][0]["id"], json!(second));
    let next = json!({"page_size": 1, "cursor": page["next_cursor"]});
    let page = context.call(home.user(), name, next).await.unwrap();
    assert_eq!(
        (&page["items"][0]["id"], &page["items"][0]["last_question"], &page["next_cursor"]),
        (&json!(first), &json!("Why is it cold?"), &Value::Null)
    );
    for stranger in [other.user(), As::User(spouse), As::Volt("portal_customer")] {
        let list = context.call(stranger, name, json!({})).await.unwrap();
        assert!(!list.to_string().contains(&first.to_string()), "{list}");
        let id = json!({"conversation_id": first});
        let asked = json!({"conversation_id": first, "content": "x"});
        for (name, arguments) in [
            ("portal_get_ai_conversation", id.clone()),
            ("portal_add_ai_message", asked),
            ("portal_escalate_ai_conversation", id),
            ("portal_ai_context", json!({"message_id": question})),
        ] {
            context.refused(stranger, name, arguments, Code::NotFound).await;
        }
    }
}

async fn a_question_has_one_answer(context: &mut Context) {
    let home = household(context, "ann").await;
    let id = start(context, home.user()).await;
    let question = ask(context, home.user(), id, "How do I stop it?").await;
    assert_eq!(knows(context, home.user(), question).await["answer"], Value::Null);
    let name = "portal_store_ai_answer";
    let first = context.call(JOB, name, answering(id, question, "Close the valve.")).await.unwrap();
    assert_eq!(
        (&first["content"], &first["answers_message_id"], &first["citations"][0]["slug"]),
        (&json!("Close the valve."), &json!(question), &json!("valve"))
    );
    let again = context.call(JOB, name, answering(id, question, "Open it.")).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(knows(context, home.user(), question).await["answer"], first);
    let second = ask(context, home.user(), id, "And then?").await;
    let history = &knows(context, home.user(), second).await["history"];
    assert_eq!(
        *history,
        json!([{"role": "user", "content": "How do I stop it?"}, {"role": "assistant", "content": "Close the valve."}])
    );
    let roles: Vec<Value> = conversation(context, home.user(), id).await["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["role"].clone())
        .collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
}

async fn only_the_back_end_answers_and_only_where_it_was_asked(context: &mut Context) {
    let home = household(context, "ann").await;
    let other = household(context, "ben").await;
    let id = start(context, home.user()).await;
    let question = ask(context, home.user(), id, "Why?").await;
    let theirs = start(context, other.user()).await;
    let name = "portal_store_ai_answer";
    let fine = answering(id, question, "Because.");
    for who in [home.user(), CSR, As::Northwind("owner")] {
        context.refused(who, name, fine.clone(), Code::Forbidden).await;
    }
    let mut elsewhere = fine.clone();
    elsewhere["org_id"] = json!(VOLT);
    let system = uuid(&conversation(context, home.user(), id).await["messages"][0]["id"]);
    for wrong in [
        elsewhere,
        answering(theirs, question, "x"),
        answering(Uuid::max(), question, "x"),
        answering(id, Uuid::max(), "x"),
        answering(id, system, "x"),
    ] {
        context.refused(JOB, name, wrong, Code::NotFound).await;
    }
    let mut hostile = fine;
    hostile["citations"][0]["javascript"] = json!("x");
    context.refused(JOB, name, hostile, Code::InvalidArgument).await;
    assert_eq!(knows(context, home.user(), question).await["answer"], Value::Null);
}

async fn what_an_answer_did_cost_is_for_staff(context: &mut Context) {
    let home = household(context, "ann").await;
    let id = start(context, home.user()).await;
    let question = ask(context, home.user(), id, "Why?").await;
    let stored = answering(id, question, "Because.");
    context.call(JOB, "portal_store_ai_answer", stored).await.unwrap();
    let seen = conversation(context, home.user(), id).await;
    assert!(!seen.to_string().contains("tokens"), "{seen}");
    context.enter(CSR, "authenticated").await;
    let sql = "select to_jsonb(m) from portal_ai_messages m where conversation_id = $1 and role = 'assistant'";
    let row: Value = context.client.query_one(sql, &[&id]).await.unwrap().get(0);
    context.leave().await;
    assert_eq!((&row["tokens_used"], &row["metadata"]["input_tokens"]), (&json!(120), &json!(100)));
    // And of the portal nobody reads the tables.
    context.enter(home.user(), "authenticated").await;
    for table in ["portal_ai_messages", "portal_ai_conversations"] {
        assert_eq!(count(context, &format!("select count(*) from {table}")).await, 0);
    }
    context.leave().await;
}

async fn the_assistant_knows_what_this_customer_sees_and_nothing_else(context: &mut Context) {
    let home = household(context, "ann").await;
    let other = household(context, "ben").await;
    for (whose, number) in [(home.customer, "INV-MINE"), (other.customer, "INV-THEIRS")] {
        for (status, suffix) in [("sent", ""), ("draft", "-DRAFT"), ("paid", "-PAID")] {
            let sql = format!(
                "insert into invoices (org_id, customer_id, number, status, total, amount_paid)
                 values ('{NORTHWIND}', '{whose}', '{number}{suffix}', '{status}', 80, {})",
                if status == "paid" { 80 } else { 0 }
            );
            context.client.batch_execute(&sql).await.unwrap();
        }
        let sql = format!(
            "insert into portal_booking_requests (org_id, portal_account_id, customer_id, service_type, problem_description, status)
             select org_id, id, customer_id, 'repair', 'canary-problem', 'submitted'
             from portal_accounts where customer_id = '{whose}'"
        );
        context.client.batch_execute(&sql).await.unwrap();
    }
    visit(context, home.customer, Some(home.places[0]), 24, &[]).await;
    let old = visit(context, home.customer, None, -2_000, &[]).await;
    visit(context, home.customer, None, -2_000, &[("service_type", "'ancient'")]).await;
    visit(context, other.customer, None, 24, &[("service_type", "'theirs'")]).await;
    let arguments = json!({"related_work_order_id": old});
    let made = context.call(home.user(), "portal_start_ai_conversation", arguments).await.unwrap();
    let question = ask(context, home.user(), uuid(&made["id"]), "What do I owe?").await;
    let known = knows(context, home.user(), question).await;
    safe(&known);
    let text = known.to_string();
    for word in ["THEIRS", "DRAFT", "PAID", "ancient", "theirs", "@", "Main Street"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    assert_eq!(
        (&known["org_id"], &known["question"]),
        (&json!(NORTHWIND), &json!("What do I owe?"))
    );
    let visits = known["visits"].as_array().unwrap();
    assert_eq!(visits.len(), 2);
    assert_eq!((&visits[0]["is_about"], &visits[1]["place"]), (&json!(true), &json!("Home")));
    assert_eq!(known["invoices"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&known["invoices"][0]["number"], known["invoices"][0]["total"].as_f64()),
        (&json!("INV-MINE"), Some(80.0))
    );
    assert_eq!(known["bookings"].as_array().unwrap().len(), 1);
}

async fn who_sees_one_place_has_the_visits_of_that_place(context: &mut Context) {
    let home = household(context, "ann").await;
    let place = home.places[0];
    let seen = visit(context, home.customer, Some(place), 24, &[("service_type", "'seen'")]).await;
    visit(context, home.customer, Some(home.places[1]), 24, &[("service_type", "'hidden'")]).await;
    visit(context, home.customer, None, 24, &[("service_type", "'hidden'")]).await;
    let sql = format!(
        "insert into invoices (org_id, customer_id, number, status, total) values ('{NORTHWIND}', '{}', 'INV-HIDDEN', 'sent', 80)",
        home.customer
    );
    context.client.batch_execute(&sql).await.unwrap();
    let manager = manager(context, &[(home.customer, Some(place))]).await;
    let arguments = json!({"related_work_order_id": seen});
    let made =
        context.call(manager.user(), "portal_start_ai_conversation", arguments).await.unwrap();
    let question = ask(context, manager.user(), uuid(&made["id"]), "When?").await;
    let known = knows(context, manager.user(), question).await;
    assert_eq!(known["visits"].as_array().unwrap().len(), 1);
    assert!(!known.to_string().to_lowercase().contains("hidden"), "{known}");
}

async fn what_is_handed_over_becomes_one_thread_of_which_staff_are_told(context: &mut Context) {
    let home = household(context, "ann").await;
    let about = visit(context, home.customer, Some(home.places[1]), 24, &[]).await;
    let arguments = json!({"related_work_order_id": about});
    let made = context.call(home.user(), "portal_start_ai_conversation", arguments).await.unwrap();
    let id = uuid(&made["id"]);
    let question = ask(context, home.user(), id, "Who comes on Monday?").await;
    let stored = answering(id, question, "I do not know.");
    context.call(JOB, "portal_store_ai_answer", stored).await.unwrap();
    context.client.batch_execute("delete from crm_notifications").await.unwrap();
    let name = "portal_escalate_ai_conversation";
    let arguments = json!({"conversation_id": id});
    let handed = context.call(home.user(), name, arguments.clone()).await.unwrap();
    assert_eq!(context.call(home.user(), name, arguments).await.unwrap(), handed);
    assert_eq!(handed["status"], "escalated");
    let thread = uuid(&handed["thread_id"]);
    let seen =
        context.call(CSR, "crm_get_portal_thread", json!({"thread_id": thread})).await.unwrap();
    assert_eq!(
        (&seen["subject"], &seen["status"], &seen["related_work_order_id"], &seen["location_id"]),
        (
            &json!("Who comes on Monday?"),
            &json!("pending_internal"),
            &json!(about),
            &json!(home.places[1])
        )
    );
    let messages = seen["messages"]["items"].as_array().unwrap();
    assert_eq!(messages.len(), 1);
    let body = messages[0]["body"].as_str().unwrap();
    assert!(
        body.contains("Customer: Who comes on Monday?")
            && body.contains("Assistant: I do not know."),
        "{body}"
    );
    let sql = "select count(*) from crm_notifications where type = 'portal_message'";
    assert!(count(context, sql).await > 0);
    let threads = context.call(home.user(), "portal_list_threads", json!({})).await.unwrap();
    assert_eq!(threads["items"].as_array().unwrap().len(), 1);
}

async fn what_is_over_takes_no_more_questions(context: &mut Context) {
    let home = household(context, "ann").await;
    let id = start(context, home.user()).await;
    let late = ask(context, home.user(), id, "Why?").await;
    let arguments = json!({"conversation_id": id});
    context.call(home.user(), "portal_escalate_ai_conversation", arguments.clone()).await.unwrap();
    let question = json!({"conversation_id": id, "content": "x"});
    context.refused(home.user(), "portal_add_ai_message", question, Code::WrongState).await;
    let answer = answering(id, late, "Because.");
    context.refused(JOB, "portal_store_ai_answer", answer, Code::WrongState).await;
    let id = start(context, home.user()).await;
    let sql = format!("update portal_ai_conversations set status = 'ended' where id = '{id}'");
    context.client.batch_execute(&sql).await.unwrap();
    let arguments = json!({"conversation_id": id});
    context
        .refused(home.user(), "portal_escalate_ai_conversation", arguments, Code::WrongState)
        .await;
}

async fn there_is_an_end_to_questions(context: &mut Context) {
    let home = household(context, "ann").await;
    let fill = |conversation: Uuid, questions: i64| {
        format!(
            "insert into portal_ai_messages (org_id, conversation_id, role, content, created_at)
             select '{NORTHWIND}', '{conversation}', 'user', 'x', clock_timestamp() from generate_series(1, {questions})"
        )
    };
    let first = start(context, home.user()).await;
    context.client.batch_execute(&fill(first, MAX_QUESTIONS - 1)).await.unwrap();
    ask(context, home.user(), first, "The last").await;
    let name = "portal_add_ai_message";
    let one_more = |id: Uuid| json!({"conversation_id": id, "content": "x"});
    let error = context.refused(home.user(), name, one_more(first), Code::RuleBroken).await;
    assert_eq!(error.detail()["reason"], "questions_per_conversation");
    let second = start(context, home.user()).await;
    let left = MAX_QUESTIONS_PER_HOUR - MAX_QUESTIONS;
    context.client.batch_execute(&fill(second, left)).await.unwrap();
    let error = context.refused(home.user(), name, one_more(second), Code::RuleBroken).await;
    assert_eq!(error.detail()["reason"], "questions_per_hour");
    let sql = "update portal_ai_messages set created_at = created_at - interval '1 hour'";
    context.client.batch_execute(sql).await.unwrap();
    ask(context, home.user(), second, "An hour later").await;
    let third = start(context, home.user()).await;
    let asked = MAX_QUESTIONS_PER_HOUR + 1;
    context.client.batch_execute(&fill(third, MAX_QUESTIONS_PER_DAY - asked)).await.unwrap();
    let older = "update portal_ai_messages set created_at = created_at - interval '1 hour'";
    context.client.batch_execute(older).await.unwrap();
    let error = context.refused(home.user(), name, one_more(second), Code::RuleBroken).await;
    assert_eq!(error.detail()["reason"], "questions_per_day");
    let sql = "update portal_ai_messages set created_at = created_at - interval '1 day'";
    context.client.batch_execute(sql).await.unwrap();
    ask(context, home.user(), second, "A day later").await;
    for _ in 3..MAX_STARTS_PER_HOUR {
        start(context, home.user()).await;
    }
    let name = "portal_start_ai_conversation";
    context.refused(home.user(), name, json!({}), Code::RuleBroken).await;
    // Another account has its own.
    let other = household(context, "ben").await;
    start(context, other.user()).await;
}

async fn a_question_is_put_to_a_model_three_times_at_most(context: &mut Context) {
    let home = household(context, "ann").await;
    let conversation = start(context, home.user()).await;
    let question = ask(context, home.user(), conversation, "Why?").await;
    for expected in [true, true, true, false, false] {
        assert_eq!(knows(context, home.user(), question).await["asks_model"], expected);
    }
    let other = ask(context, home.user(), conversation, "How?").await;
    context
        .call(JOB, "portal_store_ai_answer", answering(conversation, other, "So."))
        .await
        .unwrap();
    assert_eq!(knows(context, home.user(), other).await["asks_model"], false);
}

async fn who_was_erased_is_told_nothing_more(context: &mut Context) {
    let home = household(context, "ann").await;
    let id = start(context, home.user()).await;
    let first = ask(context, home.user(), id, "My canary question").await;
    let stored = answering(id, first, "A canary answer");
    context.call(JOB, "portal_store_ai_answer", stored).await.unwrap();
    let late = ask(context, home.user(), id, "Another canary").await;
    let arguments = json!({"id": home.customer, "reason": "asked"});
    let export = json!({"id": home.customer});
    let owner = As::Northwind("owner");
    let export = context.call(owner, "crm_export_customer", export).await.unwrap();
    let text = export["portal_ai_conversations"].to_string();
    assert!(text.contains("My canary question") && text.contains("A canary answer"), "{text}");
    context.call(owner, "crm_erase_customer", arguments).await.unwrap();
    let answer = answering(id, late, "A late canary");
    context.refused(JOB, "portal_store_ai_answer", answer, Code::WrongState).await;
    let sql = format!(
        "select count(*) from portal_ai_messages where conversation_id = '{id}' and (content <> '' or metadata is not null)"
    );
    assert_eq!(count(context, &sql).await, 0);
}

async fn a_visit_that_is_seen_no_more_takes_its_conversation_along(context: &mut Context) {
    let home = household(context, "ann").await;
    let place = home.places[0];
    let about = visit(context, home.customer, Some(place), 24, &[]).await;
    let manager = manager(context, &[(home.customer, Some(place))]).await;
    let arguments = json!({"related_work_order_id": about});
    let name = "portal_start_ai_conversation";
    let made = context.call(manager.user(), name, arguments).await.unwrap();
    let id = json!({"conversation_id": made["id"]});
    conversation(context, manager.user(), uuid(&made["id"])).await;
    let sql = format!(
        "update portal_account_access set location_id = '{}' where portal_account_id = '{}'",
        home.places[1], manager.account
    );
    context.client.batch_execute(&sql).await.unwrap();
    for name in ["portal_get_ai_conversation", "portal_escalate_ai_conversation"] {
        context.refused(manager.user(), name, id.clone(), Code::NotFound).await;
    }
    let list =
        context.call(manager.user(), "portal_list_ai_conversations", json!({})).await.unwrap();
    assert_eq!(list["items"], json!([]));
}
