//! Portal accounts: what staff decide about them, and what their owners keep, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use serde_json::{Value, json};

const CSR: As = As::Northwind("csr");
const OWNER: As = As::Northwind("portal_customer");
const MANAGER: As = As::Northwind("portal_manager");

scenarios! {
    an_invitation_is_made_by_who_manages_the_portal_for_customers_of_the_org
    a_repeat_of_an_invitation_is_the_same_without_its_token
    an_invitation_goes_out_by_mail_to_a_contact_of_the_customer_only
    accounts_that_are_not_active_are_refused_everywhere
    an_account_is_suspended_and_opened_by_staff
    who_was_deactivated_as_a_member_is_out_and_comes_back_with_the_account
    a_role_moves_the_profile_and_what_is_seen
    access_is_the_whole_list_within_the_org
    an_account_of_an_erased_customer_stays_closed
    a_session_shows_no_more_than_the_customer_may_know
    the_dashboard_counts_what_the_account_sees
    a_profile_is_changed_and_a_new_number_is_not_verified
    notifications_are_changed_and_marketing_obeys
    what_owners_do_is_written_down
}

async fn one(context: &Context, sql: &str) -> Value {
    context.client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn account(context: &mut Context, caller: As) -> Value {
    context.call(caller, "portal_session", json!({})).await.unwrap()["account"].clone()
}

async fn change(context: &mut Context, id: &Value, patch: Value) -> Value {
    let arguments = json!({"id": id, "patch": patch});
    context.call(CSR, "crm_update_portal_account", arguments).await.unwrap()
}

async fn customer(context: &mut Context, caller: As, input: Value) -> Value {
    context.call(caller, "crm_create_customer", input).await.unwrap()
}

fn acme() -> Value {
    json!({"type": "company", "name": "Acme", "email": "office@acme.example",
        "locations": [{"address_line1": "1 Main St", "city": "Reno"}, {"address_line1": "2 Side St", "city": "Elko"}]})
}

async fn an_invitation_is_made_by_who_manages_the_portal_for_customers_of_the_org(
    context: &mut Context,
) {
    let known = customer(context, CSR, acme()).await;
    let foreign = customer(context, As::Volt("csr"), acme()).await;
    let rpc = "crm_create_portal_invite";
    let input = json!({"customer_id": known["id"], "email": "a@acme.example"});
    for role in [
        "sales",
        "dispatcher",
        "technician",
        "viewer",
        "client_admin",
        "portal_customer",
        "portal_manager",
    ] {
        context.refused(As::Northwind(role), rpc, input.clone(), Code::Forbidden).await;
    }
    for role in ["owner", "admin", "manager", "csr"] {
        context.call(As::Northwind(role), rpc, input.clone()).await.unwrap();
    }
    let theirs = json!({"customer_id": foreign["id"], "email": "a@acme.example"});
    context.refused(CSR, rpc, theirs, Code::NotFound).await;
    for entry in [
        json!({"customer_id": foreign["id"]}),
        json!({"customer_id": known["id"], "location_id": foreign["locations"][0]["id"]}),
    ] {
        let access = json!({"customer_id": known["id"], "email": "a@acme.example", "role": "admin", "access": [entry]});
        context.refused(CSR, rpc, access, Code::NotFound).await;
    }
    let wrong = json!({"customer_id": known["id"], "email": "a", "expires_in_hours": 2161});
    let error = context.refused(CSR, rpc, wrong, Code::InvalidArgument).await;
    assert_eq!(error.errors.len(), 2);
    // What is nowhere kept is nowhere in the trail.
    let trail = one(context, "select jsonb_agg(new_values) from audit_log where table_name = 'portal_invites' and action = 'insert'").await;
    assert!(trail[0].get("token_hash").is_none() && trail[0].get("email").is_some());
}

async fn a_repeat_of_an_invitation_is_the_same_without_its_token(context: &mut Context) {
    let known = customer(context, CSR, acme()).await;
    let input =
        json!({"customer_id": known["id"], "email": "a@acme.example", "idempotency_key": "k"});
    let mut first = context.call(CSR, "crm_create_portal_invite", input.clone()).await.unwrap();
    let again = context.call(CSR, "crm_create_portal_invite", input.clone()).await.unwrap();
    let token = first["token"].take();
    assert_eq!(first, again);
    let kept = one(context, "select jsonb_agg(response) from fieldcrm.idempotency_keys").await;
    assert!(!kept.to_string().contains(token.as_str().unwrap()));
    let mut other = input;
    other["email"] = json!("b@acme.example");
    context.refused(CSR, "crm_create_portal_invite", other, Code::IdempotencyKeyReused).await;
}

async fn an_invitation_goes_out_by_mail_to_a_contact_of_the_customer_only(context: &mut Context) {
    let known = customer(context, CSR, acme()).await;
    let rpc = "crm_create_portal_invite";
    let input = |email: &str| json!({"customer_id": known["id"], "email": email, "send": true});
    let error =
        context.refused(CSR, rpc, input("stranger@acme.example"), Code::InvalidArgument).await;
    assert_eq!(error.errors[0].code, "unknown_contact");
    let made = context.call(CSR, rpc, input("office@acme.example")).await.unwrap();
    assert_eq!(made["message"]["status"], "queued");
    let sql = format!(
        "select to_jsonb(o) from crm_outbox o where o.id = '{}'",
        made["message"]["id"].as_str().unwrap()
    );
    let message = one(context, &sql).await;
    assert_eq!(message["to_address"], "office@acme.example");
    let body = message["body"].as_str().unwrap();
    assert!(body.contains("https://portal.northwind.example/invite/[secret]"));
    let sql = "update portal_settings set portal_url = null where org_id = $1";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    context.refused(CSR, rpc, input("office@acme.example"), Code::WrongState).await;
}

async fn accounts_that_are_not_active_are_refused_everywhere(context: &mut Context) {
    for (status, rpc, arguments) in ["suspended", "invited"].into_iter().flat_map(|status| {
        [
            (status, "portal_session", json!({})),
            (status, "portal_complete_signup", json!({})),
            (status, "portal_dashboard", json!({})),
            (status, "portal_get_settings", json!({})),
            (status, "portal_update_profile", json!({"patch": {"full_name": "X"}})),
            (
                status,
                "portal_update_notifications",
                json!({"patch": {"notify_marketing_sms": true}}),
            ),
            (status, "portal_log_event", json!({"event_type": "logout"})),
        ]
    }) {
        let caller = As::User(context.user(&format!("{status}@portal.northwind.example")).await);
        let error = context.refused(caller, rpc, arguments, Code::PortalAccountInactive).await;
        assert_eq!(error.data["status"], status);
    }
}

async fn an_account_is_suspended_and_opened_by_staff(context: &mut Context) {
    let id = account(context, OWNER).await["id"].clone();
    for status in ["suspended", "closed"] {
        assert_eq!(change(context, &id, json!({"status": status})).await["status"], status);
        context.refused(OWNER, "portal_dashboard", json!({}), Code::PortalAccountInactive).await;
        let profile = one(
            context,
            "select to_jsonb(p) from profiles p where email = 'portal_customer@northwind.example'",
        )
        .await;
        assert_eq!(profile["status"], "active");
    }
    change(context, &id, json!({"status": "active"})).await;
    context.call(OWNER, "portal_dashboard", json!({})).await.unwrap();
    let update = |patch: Value| json!({"id": id, "patch": patch});
    let rpc = "crm_update_portal_account";
    context.refused(CSR, rpc, update(json!({"status": "invited"})), Code::InvalidArgument).await;
    let closing = update(json!({"status": "closed"}));
    context.refused(As::Northwind("sales"), rpc, closing.clone(), Code::Forbidden).await;
    context.refused(As::Volt("csr"), rpc, closing, Code::NotFound).await;
    let elsewhere = customer(context, CSR, acme()).await["locations"][0]["id"].clone();
    context
        .refused(CSR, rpc, update(json!({"primary_location_id": elsewhere})), Code::NotFound)
        .await;
    assert_eq!(
        change(context, &id, json!({"primary_location_id": null})).await["primary_location_id"],
        Value::Null
    );
}

async fn who_was_deactivated_as_a_member_is_out_and_comes_back_with_the_account(
    context: &mut Context,
) {
    let id = account(context, OWNER).await["id"].clone();
    let user = context.user("portal_customer@northwind.example").await;
    let deactivate = json!({"user_id": user});
    context.call(As::Northwind("admin"), "crm_deactivate_member", deactivate).await.unwrap();
    context.refused(OWNER, "portal_dashboard", json!({}), Code::NoMembership).await;
    context.refused(OWNER, "portal_session", json!({}), Code::NoMembership).await;
    change(context, &id, json!({"status": "active"})).await;
    context.call(OWNER, "portal_dashboard", json!({})).await.unwrap();
}

async fn a_role_moves_the_profile_and_what_is_seen(context: &mut Context) {
    let session = context.call(MANAGER, "portal_session", json!({})).await.unwrap();
    assert_eq!(session["customers"].as_array().unwrap().len(), 3);
    let id = session["account"]["id"].clone();
    for (role, profile, customers) in [
        ("billing_contact", "portal_customer", 1),
        ("admin", "portal_manager", 3),
        ("customer", "portal_customer", 1),
    ] {
        change(context, &id, json!({"role": role})).await;
        let session = context.call(MANAGER, "portal_session", json!({})).await.unwrap();
        assert_eq!(session["customers"].as_array().unwrap().len(), customers, "{role}");
        assert_eq!(session["permissions"]["book"], role != "billing_contact");
        let row = one(
            context,
            "select to_jsonb(p) from profiles p where email = 'portal_manager@northwind.example'",
        )
        .await;
        assert_eq!(row["role"], profile);
    }
}

async fn access_is_the_whole_list_within_the_org(context: &mut Context) {
    let id = account(context, MANAGER).await["id"].clone();
    let known = customer(context, CSR, acme()).await;
    let rpc = "crm_set_portal_access";
    let list = |access: Value| json!({"portal_account_id": id, "access": access});
    let entry = json!({"customer_id": known["id"], "location_id": known["locations"][0]["id"]});
    let set = context.call(CSR, rpc, list(json!([entry, entry]))).await.unwrap();
    assert_eq!(set["access"], json!([entry]));
    assert_eq!(account(context, MANAGER).await["access"], json!([entry]));
    let settings = context.call(MANAGER, "portal_get_settings", json!({})).await.unwrap();
    let theirs: Vec<_> = settings["locations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["customer_id"] == known["id"])
        .map(|one| &one["id"])
        .collect();
    assert_eq!(theirs, [&known["locations"][0]["id"]]);
    let foreign = customer(context, As::Volt("csr"), acme()).await;
    let theirs = list(json!([{"customer_id": foreign["id"]}]));
    context.refused(CSR, rpc, theirs.clone(), Code::NotFound).await;
    context.refused(As::Volt("csr"), rpc, theirs, Code::NotFound).await;
    context.refused(As::Northwind("sales"), rpc, list(json!([])), Code::Forbidden).await;
    assert_eq!(account(context, MANAGER).await["access"], json!([entry]));
    context.call(CSR, rpc, list(json!([]))).await.unwrap();
    assert_eq!(account(context, MANAGER).await["access"], json!([]));
    // Whoever is only a customer sees only themselves.
    let own = account(context, OWNER).await["id"].clone();
    let refused = json!({"portal_account_id": own, "access": [entry]});
    context.refused(CSR, rpc, refused, Code::InvalidArgument).await;
    let trail = one(
        context,
        "select jsonb_agg(action) from audit_log where table_name = 'portal_account_access'
        and user_id = (select id from profiles where email = 'csr@northwind.example')",
    )
    .await;
    assert!(trail.as_array().unwrap().contains(&json!("delete")));
}

async fn an_account_of_an_erased_customer_stays_closed(context: &mut Context) {
    let own = account(context, OWNER).await;
    let erase = json!({"id": own["customer_id"]});
    context.call(As::Northwind("owner"), "crm_erase_customer", erase).await.unwrap();
    context.refused(OWNER, "portal_dashboard", json!({}), Code::NoMembership).await;
    let open = json!({"id": own["id"], "patch": {"status": "active"}});
    context.refused(CSR, "crm_update_portal_account", open, Code::WrongState).await;
}

/// Answers are searched for what only staff know.
async fn a_session_shows_no_more_than_the_customer_may_know(context: &mut Context) {
    let own = account(context, OWNER).await;
    let canary = "canary-7d1f";
    let id = own["customer_id"].as_str().unwrap();
    let sql = format!(
        "update customers set notes = '{canary}', status = 'blacklisted', owner = '{canary}', source = '{canary}' where id = '{id}';
         update customer_contacts set notes = '{canary}' where customer_id = '{id}';
         update work_orders set internal_notes = '{canary}' where customer_id = '{id}';
         update profiles set phone = '{canary}' where org_id = '{NORTHWIND}' and role not like 'portal%'"
    );
    context.client.batch_execute(&sql).await.unwrap();
    for rpc in ["portal_session", "portal_dashboard", "portal_get_settings"] {
        let text = context.call(OWNER, rpc, json!({})).await.unwrap().to_string();
        for secret in
            [canary, "blacklisted", "csr@northwind.example", "technician@northwind.example"]
        {
            assert!(!text.contains(secret), "{secret} in {rpc}: {text}");
        }
    }
}

async fn the_dashboard_counts_what_the_account_sees(context: &mut Context) {
    let own = customer(context, CSR, acme()).await;
    let other = customer(context, CSR, acme()).await;
    let (a, b) = (own["id"].as_str().unwrap(), other["id"].as_str().unwrap());
    let (here, there) = (
        other["locations"][0]["id"].as_str().unwrap(),
        other["locations"][1]["id"].as_str().unwrap(),
    );
    let user = context.user("portal_manager@northwind.example").await;
    let sql = format!(
        "update portal_accounts set customer_id = '{a}', primary_location_id = null where user_id = '{user}';
         delete from portal_account_access where portal_account_id in (select id from portal_accounts where user_id = '{user}');
         insert into portal_account_access (org_id, portal_account_id, customer_id, location_id)
           select org_id, id, '{b}', '{here}' from portal_accounts where user_id = '{user}';
         insert into work_orders (org_id, customer_id, location_id, title, status, window_start, window_end)
           select '{NORTHWIND}', '{b}', x.place::uuid, 'Visit', 'scheduled', now() + x.in_time, now() + x.in_time + interval '1 hour'
           from (values ('{there}', interval '1 day'), ('{here}', interval '2 days')) x (place, in_time);
         insert into invoices (org_id, customer_id, work_order_id, number, status, total, amount_paid, issued_at)
           select '{NORTHWIND}', w.customer_id, w.id, 'DB-' || w.location_id, 'sent', 10, 4, now() from work_orders w where w.customer_id = '{b}';
         insert into invoices (org_id, customer_id, number, status, total, amount_paid)
           values ('{NORTHWIND}', '{a}', 'DB-1', 'sent', 100, 0), ('{NORTHWIND}', '{a}', 'DB-2', 'draft', 100, 0),
             ('{NORTHWIND}', '{b}', 'DB-3', 'sent', 100, 0);
         insert into portal_threads (org_id, customer_id, location_id, subject, status)
           values ('{NORTHWIND}', '{a}', null, 'A', 'open'), ('{NORTHWIND}', '{a}', null, 'A', 'closed'),
             ('{NORTHWIND}', '{b}', '{here}', 'B', 'open'), ('{NORTHWIND}', '{b}', '{there}', 'B', 'open');
         insert into portal_messages (org_id, customer_id, thread_id, sender_type, body)
           select org_id, customer_id, id, x::portal_sender_type, 'Hi' from portal_threads, unnest(array['internal_user', 'portal_customer']) x
           where customer_id in ('{a}', '{b}')"
    );
    context.client.batch_execute(&sql).await.unwrap();
    let seen = context.call(MANAGER, "portal_dashboard", json!({})).await.unwrap();
    assert_eq!(seen["next_appointment"]["location_id"], json!(here));
    assert_eq!(seen["invoices"], json!({"count": 2, "amount_due": 106.0, "currency": "USD"}));
    assert_eq!((&seen["open_threads"], &seen["unread_messages"]), (&json!(2), &json!(3)));
    assert_eq!((&seen["open_bookings"], &seen["active_memberships"]), (&json!(0), &json!(0)));
}

async fn a_profile_is_changed_and_a_new_number_is_not_verified(context: &mut Context) {
    let id = account(context, OWNER).await["customer_id"].as_str().unwrap().to_owned();
    let update = |patch: Value| json!({"patch": patch});
    let rpc = "portal_update_profile";
    let first =
        json!({"full_name": "Paula K.", "phone": "(312) 555-0150", "preferred_language": "de"});
    let settings = context.call(OWNER, rpc, update(first)).await.unwrap();
    assert_eq!(settings["profile"]["full_name"], "Paula K.");
    assert_eq!(settings["profile"]["phone"], "+13125550150");
    assert_eq!(settings["profile"]["preferred_language"], "de");
    let change = |phone: &str| update(json!({"phone": phone}));
    let second = context.call(OWNER, rpc, change("(312) 555-0151")).await.unwrap();
    let numbers = |settings: &Value| {
        let contacts = settings["contacts"].as_array().unwrap();
        let ours = contacts.iter().filter(|one| {
            one["value"].as_str().is_some_and(|value| value.starts_with("+1312555015"))
        });
        let mut ours: Vec<_> = ours.map(|one| json!([one["value"], one["is_verified"]])).collect();
        ours.sort_by_key(Value::to_string);
        ours
    };
    // Nobody had verified the first one.
    assert_eq!(numbers(&second), [json!(["+13125550151", false])]);
    // What a colleague is reached at stays, and so does the number of the customer itself.
    let sql = format!(
        "update customer_contacts set is_verified = true where customer_id = '{id}';
         update customers set phone = '+13125550151', phone_raw = '+13125550151' where id = '{id}'"
    );
    context.client.batch_execute(&sql).await.unwrap();
    let third = context.call(OWNER, rpc, change("(312) 555-0152")).await.unwrap();
    assert_eq!(numbers(&third), [json!(["+13125550151", true]), json!(["+13125550152", false])]);
    let own =
        one(context, &format!("select to_jsonb(phone) from customers where id = '{id}'")).await;
    assert_eq!(own, "+13125550151");
    // Back to a number that is there already adds nothing.
    let fourth = context.call(OWNER, rpc, change("(312) 555-0151")).await.unwrap();
    assert!(numbers(&fourth).contains(&json!(["+13125550151", true])));
    let cleared = context.call(OWNER, rpc, update(json!({"phone": null}))).await.unwrap();
    assert_eq!(cleared["profile"]["phone"], Value::Null);
    assert_eq!(cleared["profile"]["full_name"], "Paula K.");
    let elsewhere = customer(context, CSR, acme()).await["locations"][0]["id"].clone();
    context
        .refused(OWNER, rpc, update(json!({"primary_location_id": elsewhere})), Code::NotFound)
        .await;
    for wrong in [
        json!({"role": "admin"}),
        json!({"full_name": " "}),
        json!({"phone": "12"}),
        json!({"preferred_language": "<b>"}),
    ] {
        context.refused(OWNER, rpc, update(wrong), Code::InvalidArgument).await;
    }
    context.refused(CSR, rpc, update(json!({"full_name": "X"})), Code::NoMembership).await;
}

async fn notifications_are_changed_and_marketing_obeys(context: &mut Context) {
    let id = account(context, OWNER).await["customer_id"].as_str().unwrap().to_owned();
    let sql = format!("update customer_contacts set is_verified = true, opt_in_marketing = true where customer_id = '{id}';
        update crm_preferences set do_not_contact = false, do_not_email = false where customer_id = '{id}';
        update crm_messaging_settings set quiet_hours_start = null, quiet_hours_end = null where org_id = '{NORTHWIND}'");
    context.client.batch_execute(&sql).await.unwrap();
    let rpc = "portal_update_notifications";
    let quiet = json!({"quiet_hours_start": "22:00", "quiet_hours_end": "06:30", "timezone": "Europe/Zurich"});
    let now = context.call(OWNER, rpc, json!({"patch": quiet})).await.unwrap();
    assert_eq!(
        (&now["quiet_hours_end"], &now["timezone"]),
        (&json!("06:30:00"), &json!("Europe/Zurich"))
    );
    for (wanted, code) in [(false, true), (true, false)] {
        let patch = json!({"notify_marketing_email": wanted, "quiet_hours_start": null, "quiet_hours_end": null});
        let now = context.call(OWNER, rpc, json!({"patch": patch})).await.unwrap();
        assert_eq!(
            (&now["quiet_hours_start"], &now["timezone"]),
            (&Value::Null, &json!("Europe/Zurich"))
        );
        let ask = json!({"customer_id": id, "channel": "email", "purpose": "marketing"});
        let decision = context.call(CSR, "crm_can_contact", ask).await.unwrap();
        assert_eq!(decision["code"] == "portal_opted_out", code, "{decision}");
    }
    for wrong in [
        json!({"quiet_hours_start": "22:00"}),
        json!({"timezone": "Mars/Base"}),
        json!({"notify_marketing_sms": null}),
    ] {
        context.refused(OWNER, rpc, json!({"patch": wrong}), Code::InvalidArgument).await;
    }
}

async fn what_owners_do_is_written_down(context: &mut Context) {
    let id = account(context, OWNER).await["id"].clone();
    let profile = json!({"patch": {"full_name": "Paula"}});
    context.call(OWNER, "portal_update_profile", profile).await.unwrap();
    let off = json!({"patch": {"notify_booking_updates_sms": false}});
    context.call(OWNER, "portal_update_notifications", off).await.unwrap();
    let logout = json!({"event_type": "logout"});
    // Again and again is once, and so is being here.
    for _ in 0..2 {
        context.call(OWNER, "portal_log_event", logout.clone()).await.unwrap();
        context.call(OWNER, "portal_session", json!({})).await.unwrap();
    }
    let user = context.user("portal_customer@northwind.example").await;
    for event in ["password_changed", "mfa_enabled"] {
        let own = json!({"event_type": event});
        context.refused(OWNER, "portal_log_event", own, Code::Forbidden).await;
        let named = json!({"event_type": event, "user_id": user});
        context.refused(OWNER, "portal_log_event", named, Code::Forbidden).await;
    }
    let changed = |user: Value| json!({"event_type": "password_changed", "user_id": user});
    let back_end = As::Dba(NORTHWIND);
    context.call(back_end, "portal_log_event", changed(json!(user))).await.unwrap();
    let nobody = changed(json!(uuid::Uuid::nil()));
    context.refused(back_end, "portal_log_event", nobody, Code::NotFound).await;
    let made_up = json!({"event_type": "booking_created"});
    context.refused(OWNER, "portal_log_event", made_up, Code::InvalidArgument).await;
    let sql = format!(
        "select jsonb_agg(jsonb_build_object(event_type, event_payload) order by event_type)
        from portal_audit_events where portal_account_id = '{}' and occurred_at = now()",
        id.as_str().unwrap()
    );
    assert_eq!(
        one(context, &sql).await,
        json!([{"login": null}, {"logout": null},
        {"notifications_updated": {"fields": ["notify_booking_updates_sms"]}}, {"password_changed": null}, {"profile_updated": {"fields": ["full_name"]}}])
    );
    let sql = format!(
        "update portal_audit_events set event_type = 'x' where portal_account_id = '{}'",
        id.as_str().unwrap()
    );
    assert!(context.client.batch_execute(&sql).await.is_err());
}
