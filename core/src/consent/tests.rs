//! The decision on single cases, and what holds for all. rpc/tests/consent.rs compares it with an independent
//! statement in SQL over every combination.

use proptest::prelude::*;

use super::*;
use crate::customer::ContactType;

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn noon() -> DateTime<Utc> {
    time("2026-01-05T12:00:00Z")
}

fn endpoint(number: u128, r#type: ContactType) -> Endpoint {
    Endpoint {
        id: Uuid::from_u128(number),
        r#type,
        value: format!("address {number}"),
        created_at: noon(),
        preferred: false,
        primary: false,
        verified: true,
        opt_in_marketing: true,
        opt_in_transactional: true,
        stopped: Vec::new(),
    }
}

fn customer() -> Customer {
    Customer { endpoints: vec![endpoint(1, ContactType::Email)], ..Customer::default() }
}

fn ask(customer: &Customer, org: &Org, purpose: Purpose) -> Decision {
    let facts = Facts { org, customer, earlier: &[], endpoint_id: None, expires_at: None };
    decide(&facts, Channel::Email, purpose, noon())
}

fn chosen(customer: &Customer, channel: Channel, asked: Option<u128>) -> (Reason, Option<u128>) {
    let org = Org::default();
    let endpoint_id = asked.map(Uuid::from_u128);
    let facts = Facts { org: &org, customer, earlier: &[], endpoint_id, expires_at: None };
    let decision = decide(&facts, channel, Purpose::Marketing, noon());
    (decision.code, decision.endpoint_id.map(|id| id.as_u128()))
}

#[test]
fn nothing_known_against_it_is_allowed_to_the_endpoint() {
    let decision = ask(&customer(), &Org::default(), Purpose::Marketing);
    assert_eq!((decision.verdict, decision.code), (Verdict::Allowed, Reason::Allowed));
    assert_eq!(decision.to.as_deref(), Some("address 1"));
    assert_eq!(decision.endpoint_id, Some(Uuid::from_u128(1)));
    assert_eq!(decision.retry_at, None);
}

#[test]
fn what_is_asked_for_comes_first_then_preferred_primary_and_oldest() {
    let mut customer = customer();
    customer.endpoints = (1..=4).map(|number| endpoint(number, ContactType::Email)).collect();
    assert_eq!(chosen(&customer, Channel::Email, None), (Reason::Allowed, Some(1)));
    customer.endpoints[2].primary = true;
    assert_eq!(chosen(&customer, Channel::Email, None), (Reason::Allowed, Some(3)));
    customer.endpoints[3].preferred = true;
    assert_eq!(chosen(&customer, Channel::Email, None), (Reason::Allowed, Some(4)));
    assert_eq!(chosen(&customer, Channel::Email, Some(2)), (Reason::Allowed, Some(2)));
    assert_eq!(chosen(&customer, Channel::Email, Some(9)), (Reason::NoAddress, None));
}

#[test]
fn an_endpoint_that_said_no_is_passed_over_unless_it_was_asked_for_or_is_the_only_one() {
    let mut customer = customer();
    customer.endpoints = (1..=3).map(|number| endpoint(number, ContactType::Email)).collect();
    customer.endpoints[0].preferred = true;
    customer.endpoints[0].opt_in_marketing = false;
    customer.endpoints[1].stopped = vec![Channel::Email];
    assert_eq!(chosen(&customer, Channel::Email, None), (Reason::Allowed, Some(3)));
    assert_eq!(chosen(&customer, Channel::Email, Some(1)), (Reason::OptedOut, Some(1)));
    assert_eq!(chosen(&customer, Channel::Email, Some(2)), (Reason::Stopped, Some(2)));
    customer.endpoints[2].verified = false;
    assert_eq!(chosen(&customer, Channel::Email, None), (Reason::OptedOut, Some(1)));
}

#[test]
fn each_channel_has_its_kinds_of_endpoints() {
    let mut customer = customer();
    customer.endpoints = vec![endpoint(1, ContactType::Phone), endpoint(2, ContactType::Fax)];
    for (channel, expect) in [
        (Channel::Email, (Reason::NoAddress, None)),
        (Channel::Sms, (Reason::NoAddress, None)),
        (Channel::Whatsapp, (Reason::NoAddress, None)),
        (Channel::Call, (Reason::Allowed, Some(1))),
    ] {
        assert_eq!(chosen(&customer, channel, None), expect, "{}", channel.as_str());
    }
    customer.endpoints.push(endpoint(3, ContactType::Mobile));
    assert_eq!(chosen(&customer, Channel::Sms, None), (Reason::Allowed, Some(3)));
    assert_eq!(chosen(&customer, Channel::Whatsapp, None), (Reason::Allowed, Some(3)));
    assert_eq!(chosen(&customer, Channel::Sms, Some(1)), (Reason::NoAddress, None));
    // A number of its own stands for WhatsApp, also where it says no.
    customer.endpoints.push(endpoint(4, ContactType::Whatsapp));
    assert_eq!(chosen(&customer, Channel::Whatsapp, None), (Reason::Allowed, Some(4)));
    customer.endpoints[3].opt_in_marketing = false;
    assert_eq!(chosen(&customer, Channel::Whatsapp, None), (Reason::OptedOut, Some(4)));
    assert_eq!(chosen(&customer, Channel::Whatsapp, Some(3)), (Reason::Allowed, Some(3)));
}

#[test]
fn stop_is_about_one_channel() {
    let mut customer = customer();
    customer.endpoints = vec![endpoint(1, ContactType::Mobile)];
    customer.endpoints[0].stopped = vec![Channel::Sms];
    assert_eq!(chosen(&customer, Channel::Sms, None).0, Reason::Stopped);
    assert_eq!(chosen(&customer, Channel::Whatsapp, None).0, Reason::Allowed);
    assert_eq!(chosen(&customer, Channel::Call, None).0, Reason::Allowed);
}

#[test]
fn the_layers_agree_on_the_first_moment_that_suits_all() {
    let mut customer = customer();
    let hour = 3600;
    customer.preferences = Some(Preferences {
        window_start: Some(9 * hour),
        window_end: Some(11 * hour),
        ..Preferences::default()
    });
    let mut org = Org { time_zone: "UTC".to_owned(), ..Org::default() };
    let decision = ask(&customer, &org, Purpose::Transactional);
    assert_eq!((decision.verdict, decision.code), (Verdict::Deferred, Reason::OutsideWindow));
    assert_eq!(decision.retry_at, Some(time("2026-01-06T09:00:00Z")));
    // Quiet until 10: what the window offers at 9 is no good; then it is the quiet hours that hold it up.
    let quiet = Portal {
        marketing_email: true,
        quiet_start: Some(20 * hour),
        quiet_end: Some(10 * hour),
        ..Portal::default()
    };
    customer.portal = vec![quiet];
    let decision = ask(&customer, &org, Purpose::Transactional);
    assert_eq!(decision.code, Reason::QuietHours);
    assert_eq!(decision.retry_at, Some(time("2026-01-06T10:00:00Z")));
    // Quiet hours of the org are for marketing only.
    (org.quiet_start, org.quiet_end) = (Some(10 * hour), Some(11 * hour - 60));
    assert_eq!(ask(&customer, &org, Purpose::Transactional).retry_at, decision.retry_at);
    let later = ask(&customer, &org, Purpose::Marketing).retry_at;
    assert_eq!(later, Some(time("2026-01-06T10:59:00Z")));
    // Nothing is left.
    org.quiet_end = Some(11 * hour);
    assert_eq!(ask(&customer, &org, Purpose::Marketing).code, Reason::NoTime);
}

#[test]
fn hours_are_those_of_the_account_and_the_window_those_of_the_first_account_with_a_zone() {
    let mut customer = customer();
    let portal = |hour: i64, zone: Option<&str>| Portal {
        created_at: noon() + Duration::hours(hour),
        marketing_email: true,
        time_zone: zone.map(str::to_owned),
        quiet_start: Some(7 * 3600),
        quiet_end: Some(8 * 3600),
        ..Portal::default()
    };
    let org = Org { time_zone: "Europe/Berlin".to_owned(), ..Org::default() };
    let at_noon = |customer: &Customer| ask(customer, &org, Purpose::Transactional).retry_at;
    // Noon in London is 7 o'clock in New York.
    customer.portal = vec![portal(0, None)];
    assert_eq!(at_noon(&customer), None);
    customer.portal.push(portal(1, Some("America/New_York")));
    assert_eq!(at_noon(&customer), Some(time("2026-01-05T13:00:00Z")));
    customer.preferences = Some(Preferences {
        window_start: Some(7 * 3600),
        window_end: Some(9 * 3600),
        ..Preferences::default()
    });
    customer.portal.insert(0, portal(2, Some("Asia/Tokyo")));
    assert_eq!(at_noon(&customer), Some(time("2026-01-05T13:00:00Z")));
}

#[test]
fn the_cap_lets_through_when_enough_of_the_earlier_is_past() {
    let customer = customer();
    let mut org = Org { cap_count: Some(2), cap_hours: Some(24), ..Org::default() };
    let hours_ago = |hours: i64| noon() - Duration::hours(hours);
    let ask = |org: &Org, earlier: &[DateTime<Utc>], purpose| {
        let facts =
            Facts { org, customer: &customer, earlier, endpoint_id: None, expires_at: None };
        let decision = decide(&facts, Channel::Email, purpose, noon());
        (decision.code, decision.retry_at)
    };
    let marketing = Purpose::Marketing;
    let free = (Reason::Allowed, None);
    assert_eq!(ask(&org, &[hours_ago(1)], marketing), free);
    assert_eq!(ask(&org, &[hours_ago(1), hours_ago(24)], marketing), free);
    assert_eq!(ask(&org, &[hours_ago(1), hours_ago(2)], Purpose::Transactional), free);
    assert_eq!(
        ask(&org, &[hours_ago(1), hours_ago(5)], marketing),
        (Reason::FrequencyCap, Some(noon() + Duration::hours(19)))
    );
    // What waits to go out takes its place too.
    assert_eq!(
        ask(&org, &[hours_ago(1), hours_ago(5), hours_ago(-3)], marketing),
        (Reason::FrequencyCap, Some(noon() + Duration::hours(23)))
    );
    org.cap_count = Some(0);
    assert_eq!(ask(&org, &[], marketing), (Reason::FrequencyCap, None));
    assert_eq!(ask(&org, &[], Purpose::Transactional), free);
}

#[test]
fn what_would_be_too_late_is_refused() {
    let mut customer = customer();
    let org = Org { time_zone: "UTC".to_owned(), ..Org::default() };
    customer.preferences =
        Some(Preferences { window_start: Some(13 * 3600), ..Preferences::default() });
    let mut facts =
        Facts { org: &org, customer: &customer, earlier: &[], endpoint_id: None, expires_at: None };
    let mut code = |expires_at: &str, at: &str| {
        facts.expires_at = Some(time(expires_at));
        let decision = decide(&facts, Channel::Email, Purpose::Transactional, time(at));
        (decision.verdict, decision.code)
    };
    let noon = "2026-01-05T12:00:00Z";
    assert_eq!(code("2026-01-05T12:59:59Z", noon), (Verdict::Refused, Reason::Expired));
    assert_eq!(code("2026-01-05T13:00:00Z", noon), (Verdict::Deferred, Reason::OutsideWindow));
    let three = "2026-01-05T15:00:00Z";
    assert_eq!(code("2026-01-05T14:00:00Z", three), (Verdict::Refused, Reason::Expired));
    assert_eq!(code("2026-01-05T15:00:00Z", three), (Verdict::Allowed, Reason::Allowed));
}

fn quarter() -> impl Strategy<Value = Option<u32>> {
    prop::option::of((0_u32..=96).prop_map(|quarter| quarter * 900))
}

fn zones() -> impl Strategy<Value = Option<String>> {
    const NAMES: &[&str] = &[
        "UTC",
        "America/New_York",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "America/St_Johns",
        "Africa/Casablanca",
        "Pacific/Chatham",
    ];
    prop::option::of(prop::sample::select(NAMES).prop_map(str::to_owned))
}

prop_compose! {
    fn timed()(
        window in (quarter(), quarter()), quiet in (quarter(), quarter()), org_quiet in (quarter(), quarter()),
        portal_zone in zones(), org_zone in zones(), cap in prop::option::of((1_u32..4, 1_u32..72)),
        earlier in prop::collection::vec(-100_i64..100, 0..6), seconds in 0_i64..86_400 * 500,
    ) -> (Customer, Org, Vec<DateTime<Utc>>, DateTime<Utc>) {
        let at = noon() + Duration::seconds(seconds);
        let portal = Portal { marketing_email: true, quiet_start: quiet.0, quiet_end: quiet.1,
            time_zone: portal_zone, ..Portal::default() };
        let wishes = Preferences { window_start: window.0, window_end: window.1, ..Preferences::default() };
        let customer = Customer { preferences: Some(wishes), portal: vec![portal], ..customer() };
        let org = Org { time_zone: org_zone.unwrap_or_default(), quiet_start: org_quiet.0, quiet_end: org_quiet.1,
            cap_count: cap.map(|cap| cap.0), cap_hours: cap.map(|cap| cap.1), ..Org::default() };
        (customer, org, earlier.into_iter().map(|hours| at + Duration::hours(hours)).collect(), at)
    }
}

proptest! {
    #[test]
    fn what_is_deferred_is_allowed_then_and_not_a_moment_before((customer, org, earlier, at) in timed()) {
        let facts = Facts { org: &org, customer: &customer, earlier: &earlier, endpoint_id: None, expires_at: None };
        let ask = |at| decide(&facts, Channel::Email, Purpose::Marketing, at);
        let decision = ask(at);
        let Some(then) = decision.retry_at else {
            prop_assert!(decision.verdict != Verdict::Deferred);
            return Ok(());
        };
        prop_assert!(then > at);
        prop_assert_eq!(ask(then).verdict, Verdict::Allowed);
        let just_before = ask(then - Duration::microseconds(1));
        prop_assert_eq!((just_before.code, just_before.retry_at), (decision.code, Some(then)));
        // No quarter of an hour in between would have done.
        let mut between = at;
        while between < then {
            prop_assert_eq!(ask(between).retry_at, Some(then));
            between += Duration::minutes(15);
        }
    }

    #[test]
    fn what_a_layer_forbids_nothing_else_allows(
        (customer, org, earlier, at) in timed(), which in 0_usize..9, channel in 0_usize..4, marketing in any::<bool>(),
    ) {
        let mut strict = customer.clone();
        strict.endpoints = [ContactType::Email, ContactType::Mobile].map(|kind| endpoint(1, kind)).into();
        let (channel, mut stricter) = (Channel::ALL[channel], org.clone());
        let mut wishes = strict.preferences.take().unwrap_or_default();
        let each = |strict: &mut Customer, change: fn(&mut Endpoint)| strict.endpoints.iter_mut().for_each(change);
        let (purpose, always) = match which {
            0 => { strict.closed = true; (Purpose::Transactional, true) }
            1 => { strict.blacklisted = true; (Purpose::Transactional, true) }
            2 => { wishes.do_not_contact = true; (Purpose::Transactional, true) }
            3 => { strict.suppressed = true; (Purpose::Transactional, true) }
            4 => { each(&mut strict, |one| one.opt_in_transactional = false); (Purpose::Transactional, false) }
            5 => { strict.archived = true; (Purpose::Marketing, false) }
            6 => { each(&mut strict, |one| one.opt_in_marketing = false); (Purpose::Marketing, false) }
            7 => { each(&mut strict, |one| one.verified = false); (Purpose::Marketing, false) }
            _ => { stricter.cap_count = Some(0); (Purpose::Marketing, false) }
        };
        strict.preferences = Some(wishes);
        let asked = if always && marketing { Purpose::Marketing } else { purpose };
        let facts = Facts { org: &stricter, customer: &strict, earlier: &earlier, endpoint_id: None, expires_at: None };
        prop_assert_eq!(decide(&facts, channel, asked, at).verdict, Verdict::Refused);
    }
}
