//! What becomes of two customers that are one: which values win. The rows are JSON as Postgres has
//! them; the tables say what can be in them.

use serde_json::{Map, Value, json};

/// What the survivor takes over where it has nothing; columns of a group come together.
const GROUPS: [&[&str]; 10] = [
    &["first_name"],
    &["last_name"],
    &["company_name"],
    &["email"],
    &["phone", "phone_raw"],
    &["source"],
    &["preferred_language"],
    &["notes"],
    &["owner_id", "owner"],
    &["product_id"],
];

/// The columns of the survivor that the duplicate fills.
#[must_use]
pub fn fill(survivor: &Value, duplicate: &Value) -> Map<String, Value> {
    let empty = |group: &&&[&str]| group.iter().all(|column| survivor[*column].is_null());
    GROUPS
        .iter()
        .filter(empty)
        .copied()
        .flatten()
        .filter(|column| !duplicate[**column].is_null())
        .map(|column| ((*column).to_owned(), duplicate[*column].clone()))
        .collect()
}

/// One endpoint that both have: consent only where both have it, verified where either is.
#[must_use]
pub fn contact(kept: &Value, dropped: &Value) -> Value {
    let both = |key: &str| kept[key] == true && dropped[key] == true;
    let either = |key: &str| kept[key] == true || dropped[key] == true;
    json!({
        "id": kept["id"],
        "dropped": dropped["id"],
        "value_raw": first(&kept["value_raw"], &dropped["value_raw"]),
        "is_verified": either("is_verified"),
        "opt_in_marketing": both("opt_in_marketing"),
        "opt_in_transactional": both("opt_in_transactional"),
        "preferred_channel": either("preferred_channel"),
        "notes": joined(&kept["notes"], &dropped["notes"]),
    })
}

/// What either does not want, the one they are does not want; `None` where neither said anything.
#[must_use]
pub fn preferences(survivor: &Value, duplicate: &Value) -> Option<Value> {
    if survivor.is_null() && duplicate.is_null() {
        return None;
    }
    let either = |key: &str| survivor[key] == true || duplicate[key] == true;
    let (start, end) = ("preferred_contact_window_start", "preferred_contact_window_end");
    let has_window = !(survivor[start].is_null() && survivor[end].is_null());
    let window = if has_window { survivor } else { duplicate };
    Some(json!({
        "do_not_contact": either("do_not_contact"),
        "do_not_email": either("do_not_email"),
        "do_not_sms": either("do_not_sms"),
        "do_not_call": either("do_not_call"),
        start: window[start],
        end: window[end],
        "notes": joined(&survivor["notes"], &duplicate["notes"]),
    }))
}

fn first<'a>(one: &'a Value, other: &'a Value) -> &'a Value {
    if one.is_null() { other } else { one }
}

/// The row of the other is deleted, so its notes must go on in this one.
fn joined(one: &Value, other: &Value) -> Value {
    match (one.as_str(), other.as_str()) {
        (Some(one), Some(other)) if one != other => format!("{one}\n{other}").into(),
        _ => first(one, other).clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_empty_is_filled_and_pairs_stay_together() {
        let survivor = json!({"name": "A", "email": "a@example.com", "phone": null, "phone_raw": null,
            "owner_id": null, "owner": "Imported", "notes": null, "status": "active"});
        let duplicate = json!({"name": "B", "email": "b@example.com", "phone": "+14155552671",
            "phone_raw": "(415) 555-2671", "owner_id": "x", "owner": null, "notes": null, "status": "prospect",
            "external_ref": "B-1"});
        let filled = fill(&survivor, &duplicate);
        assert_eq!(
            Value::Object(filled),
            json!({"phone": "+14155552671", "phone_raw": "(415) 555-2671"})
        );
        assert!(fill(&duplicate, &survivor).is_empty());
    }

    #[test]
    fn consent_needs_both_and_a_refusal_needs_one() {
        let row = |marketing: bool, verified: bool, notes: Option<&str>| {
            json!({"id": marketing, "opt_in_marketing": marketing, "opt_in_transactional": true,
                "is_verified": verified, "preferred_channel": false, "value_raw": null, "notes": notes})
        };
        let merged = contact(&row(true, false, Some("a")), &row(false, true, Some("b")));
        assert_eq!(merged["opt_in_marketing"], false);
        assert_eq!(merged["opt_in_transactional"], true);
        assert_eq!(merged["is_verified"], true);
        assert_eq!(merged["notes"], "a\nb");
        assert_eq!(contact(&row(true, true, None), &row(true, true, Some("b")))["notes"], "b");
        let refuses = |key: &str| json!({key: true});
        let merged = preferences(&refuses("do_not_sms"), &refuses("do_not_call")).unwrap();
        assert_eq!((&merged["do_not_sms"], &merged["do_not_call"]), (&json!(true), &json!(true)));
        assert_eq!(merged["do_not_email"], false);
    }

    #[test]
    fn a_window_is_taken_whole_and_no_preferences_stay_none() {
        let window = |start: Option<&str>, end: Option<&str>| json!({"preferred_contact_window_start": start, "preferred_contact_window_end": end});
        let merged =
            preferences(&window(Some("09:00"), None), &window(Some("10:00"), Some("11:00")));
        assert_eq!(merged.unwrap()["preferred_contact_window_end"], Value::Null);
        let merged = preferences(&Value::Null, &window(Some("10:00"), Some("11:00"))).unwrap();
        assert_eq!(merged["preferred_contact_window_end"], "11:00");
        assert_eq!(preferences(&Value::Null, &Value::Null), None);
    }
}
