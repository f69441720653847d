//! Consent: core's decision against statements in SQL that know nothing of it, over every combination of what can be
//! said, over random hours in random zones, and over random rows; on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod consent_reference;

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Duration, Utc};
use common::{As, Context, NORTHWIND};
use consent_reference::{Dice, random_rows};
use fieldcrm_core::Code;
use fieldcrm_core::automation::Purpose;
use fieldcrm_core::consent::{
    Channel, Customer, Endpoint, Facts, Org, Portal, Preferences, Verdict, decide,
};
use fieldcrm_core::customer::ContactType;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
const EVERY_COMBINATION: &str = include_str!("consent_reference/every_combination.sql");
const FIRST_MOMENT: &str = include_str!("consent_reference/first_moment.sql");
const OF_ROWS: &str = include_str!("consent_reference/of_rows.sql");

scenarios! {
    every_combination_is_decided_as_the_table_says
    the_first_moment_is_the_one_postgres_clocks_show
    random_customers_get_what_the_rows_say_and_nothing_else
    active_portal_accounts_that_say_something_have_a_say
    the_answer_names_the_endpoint_masked
    staff_may_ask_about_their_own_customers
    wrong_questions_are_named_by_their_path
}

fn noon() -> DateTime<Utc> {
    "2026-01-05T12:00:00Z".parse().unwrap()
}

const fn hours(hours: u32) -> u32 {
    hours * 3600
}

/// Bits of a number, the lowest first: the same as `every_combination.sql` takes.
struct Digits(u32);

impl Digits {
    fn flag(&mut self) -> bool {
        self.of(2) == 1
    }

    fn of(&mut self, radix: u32) -> u32 {
        let digit = self.0 % radix;
        self.0 /= radix;
        digit
    }
}

/// How many combinations there are for a channel and a purpose.
const COMBINATIONS: u32 = (1 << 13) * 3 * 7;

fn combination(
    number: u32,
    channel: Channel,
    purpose: Purpose,
) -> (Customer, Org, Vec<DateTime<Utc>>) {
    let mut digits = Digits(number);
    let mut customer = Customer {
        closed: digits.flag(),
        archived: digits.flag(),
        blacklisted: digits.flag(),
        suppressed: digits.flag(),
        ..Customer::default()
    };
    let (do_not_contact, this, others) = (digits.flag(), digits.flag(), digits.flag());
    let says = |channels: &[Channel]| if channels.contains(&channel) { this } else { others };
    let mut wishes = Preferences {
        do_not_contact,
        do_not_email: says(&[Channel::Email]),
        do_not_sms: says(&[Channel::Sms, Channel::Whatsapp]),
        do_not_call: says(&[Channel::Call]),
        ..Preferences::default()
    };
    let (reachable, opted, otherwise) = (digits.flag(), digits.flag(), digits.flag());
    let (verified, stopped) = (digits.flag(), digits.flag());
    let marketing = purpose == Purpose::Marketing;
    let kind = if channel == Channel::Email { ContactType::Email } else { ContactType::Mobile };
    let endpoint = Endpoint {
        id: Uuid::from_u128(1),
        r#type: if reachable { kind } else { ContactType::Fax },
        value: String::new(),
        created_at: noon(),
        preferred: false,
        primary: false,
        verified,
        opt_in_marketing: if marketing { opted } else { otherwise },
        opt_in_transactional: if marketing { otherwise } else { opted },
        stopped: if stopped { vec![channel] } else { Vec::new() },
    };
    customer.endpoints = vec![endpoint];
    let mut org =
        Org { time_zone: "UTC".to_owned(), allow_unverified: digits.flag(), ..Org::default() };
    let portal = digits.of(3);
    if portal > 0 {
        let yes = portal == 1;
        customer.portal =
            vec![Portal { marketing_email: yes, marketing_sms: yes, ..Portal::default() }];
    }
    let moment = digits.of(7);
    let mut earlier = Vec::new();
    if matches!(moment, 1 | 6) {
        (wishes.window_start, wishes.window_end) = (Some(hours(13)), Some(hours(20)));
    }
    if matches!(moment, 2 | 6) {
        let quiet = Portal {
            quiet_start: Some(hours(11)),
            quiet_end: Some(hours(14)),
            marketing_email: true,
            marketing_sms: true,
            ..Portal::default()
        };
        customer.portal.push(quiet);
    }
    if matches!(moment, 3 | 6) {
        (org.quiet_start, org.quiet_end) = (Some(hours(11)), Some(hours(15)));
    }
    if matches!(moment, 4 | 6) {
        (org.cap_count, org.cap_hours) = (Some(1), Some(24));
        earlier.push(noon() - Duration::hours(20));
    }
    if moment == 5 {
        (org.cap_count, org.cap_hours) = (Some(0), Some(24));
    }
    customer.preferences = Some(wishes);
    (customer, org, earlier)
}

async fn every_combination_is_decided_as_the_table_says(context: &mut Context) {
    let mut seen = BTreeMap::new();
    for channel in Channel::ALL {
        for (name, purpose) in
            [("transactional", Purpose::Transactional), ("marketing", Purpose::Marketing)]
        {
            let row = context
                .client
                .query_one(EVERY_COMBINATION, &[&channel.as_str(), &name, &i64::from(COMBINATIONS)])
                .await
                .unwrap();
            let expected: Vec<String> = row.get(0);
            assert_eq!(expected.len(), COMBINATIONS as usize);
            for (number, expected) in (0..).zip(&expected) {
                let (customer, org, earlier) = combination(number, *channel, purpose);
                let facts = Facts {
                    org: &org,
                    customer: &customer,
                    earlier: &earlier,
                    endpoint_id: None,
                    expires_at: None,
                };
                let found = decide(&facts, *channel, purpose, noon());
                let wait = found.retry_at.map_or(0, |then| (then - noon()).num_hours());
                let found = format!("{} {} {wait}", found.verdict.as_str(), found.code.as_str());
                assert_eq!(
                    &found, expected,
                    "{number} {channel:?} {purpose:?} {customer:?} {org:?}"
                );
                *seen.entry(found).or_insert(0) += 1;
            }
        }
    }
    assert!(seen.len() >= 19, "each outcome there is: {seen:?}");
}

const ZONES: &[&str] = &[
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Pacific/Chatham",
    "America/Havana",
];
/// Days on which clocks are changed somewhere in that list, or nothing happens.
const DAYS: &[&str] = &[
    "2025-03-09",
    "2025-03-30",
    "2025-04-06",
    "2025-10-05",
    "2025-10-26",
    "2025-11-02",
    "2025-07-01",
];

async fn the_first_moment_is_the_one_postgres_clocks_show(context: &mut Context) {
    let mut dice = Dice(42);
    let mut cases = Vec::new();
    let mut found = Vec::new();
    for _ in 0..300 {
        let day: DateTime<Utc> = format!("{}T00:00:00Z", dice.of(DAYS)).parse().unwrap();
        let at = day + Duration::seconds(i64::try_from(dice.below(3 * 86_400)).unwrap())
            - Duration::days(1);
        let (window, quiet, org_quiet) =
            ((dice.time_of_day(), dice.time_of_day()), dice.pair(), dice.pair());
        let zone = if dice.one_in(4) { None } else { Some(dice.of(ZONES)) };
        let org_zone = dice.of(ZONES);
        let (count, hours) = (1 + dice.below(2), 1 + dice.below(48));
        let earlier: Vec<DateTime<Utc>> = (0..dice.below(4))
            .map(|_| {
                day + Duration::minutes(15 * i64::try_from(dice.below(400)).unwrap())
                    - Duration::days(2)
            })
            .collect();
        let kind = dice.of(&[Purpose::Marketing, Purpose::Transactional]);
        let customer = Customer {
            endpoints: vec![Endpoint {
                id: Uuid::nil(),
                r#type: ContactType::Email,
                value: String::new(),
                created_at: noon(),
                preferred: false,
                primary: false,
                verified: true,
                opt_in_marketing: true,
                opt_in_transactional: true,
                stopped: Vec::new(),
            }],
            preferences: Some(Preferences {
                window_start: window.0,
                window_end: window.1,
                ..Preferences::default()
            }),
            portal: vec![Portal {
                created_at: noon(),
                marketing_email: true,
                marketing_sms: true,
                quiet_start: quiet.0,
                quiet_end: quiet.1,
                time_zone: zone.map(str::to_owned),
            }],
            ..Customer::default()
        };
        let org = Org {
            time_zone: org_zone.to_owned(),
            quiet_start: org_quiet.0,
            quiet_end: org_quiet.1,
            allow_unverified: false,
            cap_count: Some(u32::try_from(count).unwrap()),
            cap_hours: Some(u32::try_from(hours).unwrap()),
        };
        let facts = Facts {
            org: &org,
            customer: &customer,
            earlier: &earlier,
            endpoint_id: None,
            expires_at: None,
        };
        let decision = decide(&facts, Channel::Email, kind, at);
        found.push(format!(
            "{} {:?}",
            decision.code.as_str(),
            decision.retry_at.map(|then| then.timestamp())
        ));
        cases.push(json!({"at": at, "zone": zone.unwrap_or(org_zone), "org_zone": org_zone,
            "window": [window.0, window.1], "quiet": [quiet.0, quiet.1], "org_quiet": [org_quiet.0, org_quiet.1],
            "marketing": kind == Purpose::Marketing, "count": count, "hours": hours, "earlier": earlier}));
    }
    let rows =
        context.client.query(FIRST_MOMENT, &[&tokio_postgres::types::Json(&cases)]).await.unwrap();
    assert_eq!(rows.len(), cases.len());
    let mut deferred = 0;
    for ((row, found), case) in rows.iter().zip(&found).zip(&cases) {
        let (code, then): (String, Option<i64>) = (row.get(0), row.get(1));
        assert_eq!(found, &format!("{code} {then:?}"), "{case}");
        deferred += usize::from(then.is_some());
    }
    assert!(deferred > 100, "most of it is about waiting: {deferred}");
}

async fn random_customers_get_what_the_rows_say_and_nothing_else(context: &mut Context) {
    let customers = random_rows(context, &mut Dice(7)).await;
    let rows = context.client.query(OF_ROWS, &[&NORTHWIND, &customers]).await.unwrap();
    let mut allowed = HashSet::new();
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        let (customer, channel, purpose): (Uuid, String, String) =
            (row.get(0), row.get(1), row.get(2));
        let (code, contact): (String, Option<Uuid>) = (row.get(3), row.get(4));
        let ask = json!({"customer_id": customer, "channel": channel, "purpose": purpose});
        let answer = context.call(CSR, "crm_can_contact", ask.clone()).await.unwrap();
        let expected = json!([code, contact]);
        assert_eq!(json!([answer["code"], answer["contact_id"]]), expected, "{ask}");
        assert_eq!(answer["allowed"], code == "allowed");
        *codes.entry(code.clone()).or_default() += 1;
        if channel == "call" {
            continue;
        }
        let mut message = ask;
        message["body"] = json!("Hello");
        message["subject"] = json!("Hello");
        let sent = context.call(CSR, "crm_send_message", message).await.unwrap();
        assert_eq!(sent["code"], code);
        if code == "allowed" {
            allowed.insert(sent["id"].as_str().unwrap().to_owned());
        }
    }
    assert!(codes.len() >= 12, "each outcome there is: {codes:?}");
    // Whatever would be due by now is asked about again.
    context
        .client
        .execute("update crm_outbox set available_at = now() where org_id = $1", &[&NORTHWIND])
        .await
        .unwrap();
    let arguments = json!({"batch_limit": 1000, "providers": {"email": "log", "sms": "log", "whatsapp": "log"}});
    let claimed = context.call(As::Dba(NORTHWIND), "crm_claim_messages", arguments).await.unwrap();
    let claimed: HashSet<_> = claimed["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(claimed, allowed);
}

async fn customer(context: &mut Context, caller: As) -> Value {
    let input = json!({"type": "company", "name": "Acme", "contacts": [
        {"type": "email", "value": "jane.doe@example.com", "is_verified": true}, {"type": "mobile", "value": "+12025550123"}]});
    context.call(caller, "crm_create_customer", input).await.unwrap()
}

async fn active_portal_accounts_that_say_something_have_a_say(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let id: Uuid = customer["id"].as_str().unwrap().parse().unwrap();
    let user = context.newcomer("portal@example.com").await;
    let sql = "insert into portal_accounts (org_id, user_id, customer_id, status) values ($1, $2, $3, 'active') returning id";
    let account: Uuid =
        context.client.query_one(sql, &[&NORTHWIND, &user, &id]).await.unwrap().get(0);
    let ask = json!({"customer_id": id, "channel": "email", "purpose": "marketing"});
    let code = async |context: &mut Context| {
        context.call(CSR, "crm_can_contact", ask.clone()).await.unwrap()["code"].clone()
    };
    assert_eq!(code(context).await, "allowed", "no preferences, no word");
    let sql =
        "insert into portal_notification_preferences (org_id, portal_account_id) values ($1, $2)";
    context.client.execute(sql, &[&NORTHWIND, &account]).await.unwrap();
    assert_eq!(code(context).await, "portal_opted_out");
    let sql = "update portal_accounts set status = 'suspended' where id = $1";
    context.client.execute(sql, &[&account]).await.unwrap();
    assert_eq!(code(context).await, "allowed");
}

async fn the_answer_names_the_endpoint_masked(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let id = &customer["id"];
    for (channel, purpose, code, to) in [
        ("email", "marketing", "allowed", "j***@example.com"),
        ("sms", "transactional", "allowed", "+1***0123"),
        ("sms", "marketing", "not_verified", "+1***0123"),
    ] {
        let ask = json!({"customer_id": id, "channel": channel, "purpose": purpose, "at": "2026-01-05T12:00:00Z"});
        let answer = context.call(CSR, "crm_can_contact", ask).await.unwrap();
        let allowed = code == "allowed";
        assert_eq!(
            (&answer["code"], &answer["to"], &answer["allowed"]),
            (&json!(code), &json!(to), &json!(allowed))
        );
        assert_eq!(answer["reason"].is_null(), allowed);
    }
    // The facts are those of the asked moment's hours.
    let sql = "insert into crm_preferences (org_id, customer_id, preferred_contact_window_start, preferred_contact_window_end)
        values ($1, $2, '09:00', '17:00') on conflict (org_id, customer_id) do update
        set preferred_contact_window_start = '09:00', preferred_contact_window_end = '17:00'";
    let customer_id: Uuid = id.as_str().unwrap().parse().unwrap();
    context.client.execute(sql, &[&NORTHWIND, &customer_id]).await.unwrap();
    context
        .client
        .execute("update orgs set time_zone = 'America/New_York' where id = $1", &[&NORTHWIND])
        .await
        .unwrap();
    let ask = json!({"customer_id": id, "channel": "email", "purpose": "transactional", "at": "2026-03-08T06:30:00Z"});
    let answer = context.call(CSR, "crm_can_contact", ask).await.unwrap();
    assert_eq!((&answer["allowed"], &answer["code"]), (&json!(false), &json!("outside_window")));
    assert_eq!(answer["retry_at"], "2026-03-08T13:00:00Z", "the clocks go forward before nine");
    assert_eq!(Verdict::Deferred.as_str(), "deferred");
}

async fn staff_may_ask_about_their_own_customers(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let ask = json!({"customer_id": customer["id"], "channel": "email", "purpose": "marketing"});
    for role in ["owner", "admin", "manager", "dispatcher", "csr", "sales", "member", "viewer"] {
        context.call(As::Northwind(role), "crm_can_contact", ask.clone()).await.unwrap();
    }
    for role in ["technician", "client_admin", "portal_customer", "portal_manager"] {
        context.refused(As::Northwind(role), "crm_can_contact", ask.clone(), Code::Forbidden).await;
    }
    for caller in [As::Volt("owner"), As::Volt("csr")] {
        context.refused(caller, "crm_can_contact", ask.clone(), Code::NotFound).await;
    }
}

async fn wrong_questions_are_named_by_their_path(context: &mut Context) {
    let ask = json!({"customer_id": null, "channel": null, "purpose": null, "at": "1700-01-01T00:00:00Z"});
    let error = context.refused(CSR, "crm_can_contact", ask, Code::InvalidArgument).await;
    let paths: Vec<_> = error.errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["customer_id", "channel", "purpose", "at"]);
    let ask = json!({"customer_id": Uuid::nil(), "channel": "fax", "purpose": "marketing"});
    let error = context.refused(CSR, "crm_can_contact", ask, Code::InvalidArgument).await;
    assert_eq!(error.errors[0].path, "channel");
}
