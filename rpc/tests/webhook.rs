//! What providers deliver, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod webhook_sample;

use common::agency::Agency;
use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;
use webhook_sample::{
    ADA, OURS, THEIRS, add_lead, agency, all, deliver, deliver_to, message, outgoing, status,
    status_of,
};

scenarios! {
    an_unknown_sender_makes_one_lead_and_one_conversation
    a_repeat_changes_nothing_and_reports_the_first_outcome
    an_address_of_nobody_or_of_a_closed_door_is_not_routed
    only_the_back_end_delivers
    a_known_sender_is_their_lead_of_the_routed_project_first
    a_customer_who_writes_becomes_a_lead_of_theirs
    national_spellings_are_one_sender
    an_e_mail_answers_what_it_says_it_answers
    what_nobody_understands_is_kept
    two_orgs_with_the_same_sender_never_cross
    new_leads_are_handed_out_as_the_project_says
}

async fn leads(context: &Context, agency: &Agency) -> Vec<Value> {
    let sql = "select * from leads where client_id = $1 order by created_at, id";
    all(context, sql, agency.client_id).await
}

async fn an_unknown_sender_makes_one_lead_and_one_conversation(context: &mut Context) {
    let agency = agency(context).await;
    let mut first = message("1", ADA, "Hello 👋");
    first["from_name"] = json!("Ada King Lovelace");
    first["occurred_at"] = json!("2026-01-01T10:00:00Z");
    first["metadata"] = json!({"media": [{"url": "https://example.com/a.jpg"}]});
    let done = deliver(context, json!([first, message("2", ADA, "שלום")])).await;
    let ours = leads(context, &agency).await;
    assert_eq!(ours.len(), 1);
    let lead = &ours[0];
    assert_eq!((&lead["first_name"], &lead["last_name"]), (&json!("Ada King"), &json!("Lovelace")));
    assert_eq!((&lead["phone"], &lead["source"]), (&json!(ADA), &json!("sms")));
    assert_eq!(lead["project_id"], json!(agency.project_id));
    assert_eq!((&done[0]["outcome"], &done[0]["created"]), (&json!("message"), &json!(true)));
    assert_eq!((&done[0]["lead_created"], &done[0]["lead_id"]), (&json!(true), &lead["id"]));
    assert_eq!(done[0]["conversation_id"], done[1]["conversation_id"]);
    let sql = "select content, direction, status, provider, metadata, created_at from messages where client_id = $1 order by created_at";
    let messages = all(context, sql, agency.client_id).await;
    assert_eq!(
        (&messages[0]["content"], &messages[1]["content"]),
        (&json!("Hello 👋"), &json!("שלום"))
    );
    assert_eq!(messages[0]["metadata"]["media"][0]["url"], "https://example.com/a.jpg");
    assert!(messages[0]["created_at"].as_str().unwrap().starts_with("2026-01-01T"));
    let sql = "select message_count from conversations where client_id = $1";
    assert_eq!(all(context, sql, agency.client_id).await, [json!({"message_count": 2})]);
}

async fn a_repeat_changes_nothing_and_reports_the_first_outcome(context: &mut Context) {
    let agency = agency(context).await;
    let event = message("1", ADA, "Hello");
    let first = deliver(context, json!([event, event])).await;
    assert_eq!((&first[0]["created"], &first[1]["created"]), (&json!(true), &json!(false)));
    assert_eq!(first[0]["message_id"], first[1]["message_id"]);
    let again = deliver(context, json!([event])).await;
    for key in ["outcome", "lead_id", "conversation_id", "message_id"] {
        assert_eq!(again[0][key], first[0][key], "{key}");
    }
    assert_eq!(again[0]["created"], false);
    // The same message under another event is the same message.
    let mut other = event;
    other["id"] = json!("9");
    let other = deliver(context, json!([other])).await;
    assert_eq!(
        (&other[0]["message_id"], &other[0]["created"]),
        (&first[0]["message_id"], &json!(false))
    );
    let sql = "select count(*) from messages where client_id = $1";
    assert_eq!(all(context, sql, agency.client_id).await[0]["count"], 1);
    assert_eq!(leads(context, &agency).await.len(), 1);
}

async fn an_address_of_nobody_or_of_a_closed_door_is_not_routed(context: &mut Context) {
    let agency = agency(context).await;
    let events = json!([message("1", ADA, "x")]);
    for (channel, address) in
        [("sms", THEIRS), ("whatsapp", "15005550001"), ("email", "not an address")]
    {
        let answer = deliver_to(context, channel, address, events.clone()).await;
        assert_eq!(answer, json!({"routed": false}));
    }
    // A job that works for one org delivers to that one only.
    let arguments =
        json!({"provider": "twilio", "channel": "sms", "address": OURS, "events": events});
    let answer = context.call(As::Dba(VOLT), "crm_receive_webhook", arguments).await.unwrap();
    assert_eq!(answer, json!({"routed": false}));
    let sql = "update org_channels set is_enabled = false where client_id = $1";
    context.client.execute(sql, &[&agency.client_id]).await.unwrap();
    let answer = deliver_to(context, "sms", OURS, events).await;
    assert_eq!(answer, json!({"routed": false}));
    assert!(leads(context, &agency).await.is_empty());
}

async fn only_the_back_end_delivers(context: &mut Context) {
    agency(context).await;
    let calls = [
        (
            "crm_receive_webhook",
            json!({"provider": "twilio", "channel": "sms", "address": OURS, "events": []}),
        ),
        ("crm_submit_form", json!({"form_key": "form_0123456789abcdef", "fields": {}})),
        ("crm_find_channel", json!({"channel": "sms", "address": OURS})),
    ];
    for (name, arguments) in calls {
        for caller in [As::Northwind("owner"), As::Volt("owner")] {
            context.refused(caller, name, arguments.clone(), Code::Forbidden).await;
        }
    }
    let find = json!({"channel": "sms", "address": OURS});
    let found = context.call(As::Dba(Uuid::nil()), "crm_find_channel", find).await.unwrap();
    let open = json!({"org_id": NORTHWIND, "known": [], "secret_name": "FORM_SECRET", "settings": {}, "is_enabled": true});
    assert_eq!(found, open);
    deliver(context, json!([message("1", ADA, "x")])).await;
    let find =
        json!({"channel": "sms", "address": OURS, "provider": "twilio", "event_ids": ["1", "2"]});
    let found = context.call(As::Dba(Uuid::nil()), "crm_find_channel", find).await.unwrap();
    assert_eq!(found["known"], json!(["1"]));
    let find = json!({"channel": "sms", "address": THEIRS});
    let found = context.call(As::Dba(Uuid::nil()), "crm_find_channel", find).await.unwrap();
    assert_eq!(found, Value::Null);
}

async fn a_known_sender_is_their_lead_of_the_routed_project_first(context: &mut Context) {
    let agency = agency(context).await;
    let other = Agency::project(context, NORTHWIND, agency.client_id).await;
    let mut next = 0;
    let mut whose = async |context: &mut Context| {
        next += 1;
        deliver(context, json!([message(&next.to_string(), ADA, "x")])).await[0]["lead_id"].clone()
    };
    let elsewhere = add_lead(context, other, json!({"phone": ADA})).await;
    assert_eq!(whose(context).await, json!(elsewhere));
    let lost = add_lead(context, agency.project_id, json!({"phone": ADA, "status": "lost"})).await;
    assert_eq!(whose(context).await, json!(lost), "the routed project comes first");
    let older = add_lead(context, agency.project_id, json!({"phone": ADA})).await;
    assert_eq!(whose(context).await, json!(older), "then those that are open");
    let newer = add_lead(context, agency.project_id, json!({"phone": ADA})).await;
    assert_eq!(whose(context).await, json!(newer), "then the newest");
    assert_eq!(leads(context, &agency).await.len(), 4);
}

async fn a_customer_who_writes_becomes_a_lead_of_theirs(context: &mut Context) {
    let agency = agency(context).await;
    let input =
        json!({"type": "individual", "first_name": "Ada", "last_name": "Lovelace", "phone": ADA});
    let sales = As::Northwind("sales");
    let customer = context.call(sales, "crm_create_customer", input).await.unwrap();
    let event = message("1", ADA, "It leaks again");
    deliver(context, json!([event])).await;
    let lead = leads(context, &agency).await.remove(0);
    assert_eq!((&lead["customer_id"], &lead["last_name"]), (&customer["id"], &json!("Lovelace")));
    deliver(context, json!([event])).await;
    let id: Uuid = customer["id"].as_str().unwrap().parse().unwrap();
    let sql = "select channel, direction, body from crm_interactions where customer_id = $1";
    let expect =
        json!({"channel": "sms_inbound", "direction": "inbound", "body": "It leaks again"});
    assert_eq!(all(context, sql, id).await, [expect]);
}

async fn national_spellings_are_one_sender(context: &mut Context) {
    let agency = agency(context).await;
    agency.channel(context, "whatsapp", "106540352242922", json!({})).await;
    for (n, [lead, sender]) in [
        ["+5511987654321", "+551187654321"],
        ["+525512345678", "+5215512345678"],
        ["+541123456789", "+5491123456789"],
    ]
    .into_iter()
    .enumerate()
    {
        let known = add_lead(context, agency.project_id, json!({"phone": lead})).await;
        let event = message(&n.to_string(), sender, "Olá");
        let answer = deliver_to(context, "whatsapp", "106540352242922", json!([event])).await;
        assert_eq!(answer["events"][0]["lead_id"], json!(known), "{sender}");
    }
    // Unknown in both spellings, in one delivery: one lead.
    let both = json!([message("a", "+5521987654321", "1"), message("b", "+552187654321", "2")]);
    let answer = deliver_to(context, "whatsapp", "106540352242922", both).await;
    assert_eq!(answer["events"][0]["lead_id"], answer["events"][1]["lead_id"]);
}

async fn an_e_mail_answers_what_it_says_it_answers(context: &mut Context) {
    let agency = agency(context).await;
    agency.channel(context, "email", "leads@acme.example", json!({"source": "newsletter"})).await;
    let mail = |id: &str, from: &str, answers: Value| {
        json!({"id": id, "type": "message", "from": from, "subject": "Pump", "content": "Hi", "references": answers,
            "provider_message_id": format!("<{id}@mail.example>")})
    };
    let first = mail("1", "Ada@Mail.example", json!([]));
    let answer = deliver_to(context, "email", "Leads@acme.example", json!([first])).await;
    let lead = answer["events"][0]["lead_id"].clone();
    let row = leads(context, &agency).await.remove(0);
    assert_eq!((&row["email"], &row["source"]), (&json!("ada@mail.example"), &json!("newsletter")));
    // From another address, but in the thread.
    let reply = mail("2", "colleague@mail.example", json!(["<0@x>", "<1@mail.example>"]));
    let answer = deliver_to(context, "email", "leads@acme.example", json!([reply])).await;
    assert_eq!(answer["events"][0]["lead_id"], lead);
    // Our own answer went through the outbox, whose id begins its Message-ID.
    let lead_id: Uuid = lead.as_str().unwrap().parse().unwrap();
    let sql = "with o as (insert into crm_outbox (org_id, lead_id, channel, purpose, to_address, body, status)
            select l.org_id, l.id, 'email', 'transactional', 'ada@mail.example', 'Re', 'sent'
            from leads l where l.id = $1 returning id, org_id)
        insert into messages (org_id, client_id, lead_id, sender_type, content, message_type, direction, outbox_id)
        select o.org_id, null, $1, 'user', 'Re', 'email', 'outbound', o.id from o returning outbox_id";
    let outbox: Uuid = context.client.query_one(sql, &[&lead_id]).await.unwrap().get(0);
    let reply = mail("3", "third@mail.example", json!([format!("<{outbox}@acme.example>")]));
    let answer = deliver_to(context, "email", "leads@acme.example", json!([reply])).await;
    assert_eq!(answer["events"][0]["lead_id"], lead);
    let stranger = mail("4", "third@mail.example", json!(["<unknown@x>"]));
    let answer = deliver_to(context, "email", "leads@acme.example", json!([stranger])).await;
    assert_ne!(answer["events"][0]["lead_id"], lead);
}

async fn what_nobody_understands_is_kept(context: &mut Context) {
    agency(context).await;
    let events = json!([
        {"id": "1", "type": "unknown", "raw": {"type": "system", "body": "moved"}},
        {"id": "2", "type": "message", "from": "AMAZON", "content": "Your parcel"},
        {"id": "3", "type": "message", "content": "from nobody"},
        {"id": "4", "type": "status", "status": "read"},
        {"id": "5", "type": "opt_out"},
    ]);
    let done = deliver(context, events).await;
    assert!(done.iter().all(|event| event["outcome"] == "unknown"), "{done:?}");
    let sql = "select payload from webhook_events where org_id = $1 and provider = 'twilio' order by provider_event_id";
    let kept = all(context, sql, NORTHWIND).await;
    assert_eq!(kept[0]["payload"]["raw"]["body"], "moved");
    assert_eq!(kept[1]["payload"]["content"], "Your parcel");
}

async fn two_orgs_with_the_same_sender_never_cross(context: &mut Context) {
    let ours = agency(context).await;
    let theirs = Agency::make(context, VOLT, &[]).await;
    theirs.channel(context, "sms", THEIRS, json!({})).await;
    let events = json!([
        message("1", ADA, "Hello"), status("2", "read"), {"id": "3", "type": "opt_out", "from": ADA},
        {"id": "4", "type": "reaction", "from": ADA, "content": "x", "in_reply_to": "SM1"},
        {"id": "5", "type": "message", "from": ADA, "content": "y", "in_reply_to": "SM1", "provider_message_id": "SM5"}
    ]);
    let sent = outgoing(context, &theirs).await;
    let volt = deliver_to(context, "sms", THEIRS, events.clone()).await;
    let before =
        all(context, "select * from messages where client_id = $1 order by id", theirs.client_id)
            .await;
    let northwind = deliver_to(context, "sms", OURS, events).await;
    let after =
        all(context, "select * from messages where client_id = $1 order by id", theirs.client_id)
            .await;
    assert_eq!(before, after, "nothing of theirs changed");
    assert_eq!(status_of(context, sent).await, "read");
    assert_eq!(
        (&volt["events"][0]["created"], &northwind["events"][0]["created"]),
        (&json!(true), &json!(true))
    );
    assert_ne!(volt["events"][0]["lead_id"], northwind["events"][0]["lead_id"]);
    assert_eq!(northwind["events"][1]["outcome"], "ignored", "their message is not ours");
    assert_eq!(leads(context, &ours).await.len(), 1);
    let sql = "select count(*) from crm_opt_outs where address = '+14155552671' and (org_id = $1 or true)";
    assert_eq!(all(context, sql, NORTHWIND).await[0]["count"], 2);
}

async fn new_leads_are_handed_out_as_the_project_says(context: &mut Context) {
    let agency = agency(context).await;
    agency.set(context, json!({"lead_assignment": "round_robin"})).await;
    let events: Vec<_> =
        (0..5).map(|n| message(&n.to_string(), &format!("+1415555267{n}"), "x")).collect();
    deliver(context, json!(events)).await;
    deliver(context, json!([message("9", "+14155552680", "x")])).await;
    let sql = "select assigned_to, count(*) from leads where client_id = $1 group by 1";
    let shares = all(context, sql, agency.client_id).await;
    assert_eq!(shares.len(), 2);
    assert!(
        shares.iter().all(|share| share["count"] == 3 && share["assigned_to"].is_string()),
        "{shares:?}"
    );
}
