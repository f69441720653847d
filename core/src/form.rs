//! Forms of landing pages: how their fields become a lead.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::lead::{self, LeadRow, split_name};
use crate::{Result, email, patch, phone};

/// How many forms one source may send in a minute, unless the channel says otherwise.
pub const MAX_PER_MINUTE: u32 = 10;
const MAX_FIELDS: usize = 200;
const MAX_KEY: usize = 100;
const MAX_VALUE: usize = 5_000;

/// What of a channel's settings is about forms; there may be other keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FormSettings {
    /// Their name of a field → ours: a column of leads, `name`, `ignore`, or a key of `custom_fields`.
    pub fields: BTreeMap<String, String>,
    /// A field that people do not see: who fills it in is a robot.
    pub honeypot: Option<String>,
    pub source: Option<String>,
    pub max_per_minute: Option<u32>,
}

impl FormSettings {
    pub fn read(settings: &Value) -> Result<Self> {
        patch::read(settings.clone())
    }
}

/// What a form says.
#[derive(Debug, Default)]
pub struct Submission {
    /// The honeypot is filled in.
    pub robot: bool,
    pub lead: LeadRow,
}

impl Submission {
    /// Whether there is anything to know somebody by.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let lead = &self.lead;
        [&lead.first_name, &lead.last_name, &lead.email, &lead.phone_raw]
            .iter()
            .any(|text| text.is_some())
    }
}

/// Reads the fields of a form. A robot or a person made them, no client of ours: nothing is refused, what is
/// no e-mail address or phone number stays under `custom_fields`.
#[must_use]
pub fn read(fields: &Map<String, Value>, settings: &FormSettings, country: &str) -> Submission {
    let mut form = Submission::default();
    let mut utm = Map::new();
    let mut clicked = None;
    let mut said = None;
    for (key, value) in fields.iter().take(MAX_FIELDS) {
        let Some(text) = plain(value) else { continue };
        if settings.honeypot.as_deref() == Some(key) {
            form.robot = true;
            continue;
        }
        let ours = settings.fields.get(key).map_or_else(|| guess(key), String::as_str);
        let lead = &mut form.lead;
        match ours {
            "ignore" => {}
            "name" => {
                let (first, last) = split_name(&text);
                lead.first_name = lead.first_name.take().or(first);
                lead.last_name = lead.last_name.take().or(last);
            }
            "first_name" => lead.first_name = cut(&text, crate::customer::MAX_NAME),
            "last_name" => lead.last_name = cut(&text, crate::customer::MAX_NAME),
            "email" => match email::normalize(&text) {
                Some(address) => lead.email = Some(address),
                None => keep(&mut lead.custom_fields, key, text),
            },
            "phone" => {
                lead.phone = phone::normalize(&text, country).map(|number| number.e164);
                lead.phone_raw = cut(&text, 100);
            }
            "notes" => {
                let notes = match lead.notes.take() {
                    Some(notes) => format!("{notes}\n\n{text}"),
                    None => text,
                };
                lead.notes = cut(&notes, crate::customer::MAX_NOTES);
            }
            "source" => said = lead::source(&text),
            "utm" => {
                let name = key.trim().to_ascii_lowercase();
                let name = name.strip_prefix("utm_").unwrap_or(&name).to_owned();
                if matches!(name.as_str(), "gclid" | "fbclid") {
                    clicked = Some(if name == "gclid" { "google_ads" } else { "facebook_ads" });
                }
                keep(&mut utm, &name, text);
            }
            other => keep(&mut form.lead.custom_fields, other, text),
        }
    }
    let from_utm = source_of(&utm).or_else(|| clicked.map(str::to_owned));
    form.lead.source =
        said.or(from_utm).or_else(|| settings.source.as_deref().and_then(lead::source));
    if !utm.is_empty() {
        form.lead.custom_fields.insert("utm".to_owned(), Value::Object(utm));
    }
    // The columns take so much; of a form that is longer the last fields are left out.
    while json!(form.lead.custom_fields).to_string().len() > lead::MAX_CUSTOM_FIELDS {
        let last = form.lead.custom_fields.keys().next_back().cloned().unwrap_or_default();
        form.lead.custom_fields.remove(&last);
    }
    form
}

/// The source that campaigns are told apart by.
fn source_of(utm: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| utm.get(key).and_then(Value::as_str).map(str::to_ascii_lowercase);
    let name = text("source")?;
    let paid = text("medium").is_some_and(|medium| {
        ["cpc", "ppc", "paid", "paidsearch", "paid_search", "paid_social", "ads"]
            .contains(&medium.as_str())
    });
    match name.as_str() {
        "google" | "adwords" | "googleads" if paid => Some("google_ads".to_owned()),
        "facebook" | "fb" | "ig" | "instagram" | "meta" if paid => Some("facebook_ads".to_owned()),
        other => lead::source(other),
    }
}

/// What a field of that name usually means.
fn guess(key: &str) -> &str {
    let plain: String =
        key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match plain.strip_prefix("your").unwrap_or(&plain) {
        "firstname" | "givenname" | "fname" => "first_name",
        "lastname" | "surname" | "familyname" | "lname" => "last_name",
        "name" | "fullname" => "name",
        "email" | "emailaddress" | "mail" => "email",
        "phone" | "phonenumber" | "tel" | "telephone" | "mobile" | "mobilephone" => "phone",
        "message" | "notes" | "comment" | "comments" => "notes",
        "source" | "leadsource" => "source",
        "gclid" | "fbclid" => "utm",
        utm if utm.starts_with("utm") && key.trim().to_ascii_lowercase().starts_with("utm_") => {
            "utm"
        }
        _ => key,
    }
}

/// One value as text, without what Postgres cannot keep; `None` when blank.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(answer) => answer.to_string(),
        Value::Array(all) => all.iter().filter_map(plain).collect::<Vec<_>>().join(", "),
        Value::Null => return None,
        Value::Object(_) => value.to_string(),
    };
    cut(&text, MAX_VALUE)
}

fn cut(text: &str, max: usize) -> Option<String> {
    let text: String = text.trim().chars().filter(|letter| *letter != '\0').take(max).collect();
    Some(text).filter(|text| !text.is_empty())
}

fn keep(fields: &mut Map<String, Value>, key: &str, text: String) {
    if let Some(key) = cut(key, MAX_KEY) {
        fields.insert(key, text.into());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "callers write their JSON here")]
    fn submit(fields: Value, settings: Value) -> Submission {
        let settings = FormSettings::read(&settings).unwrap();
        read(fields.as_object().unwrap(), &settings, "US")
    }

    #[test]
    fn the_usual_names_need_no_mapping() {
        let form = submit(
            json!({"Your Name": "Ada King Lovelace", "E-Mail": "ADA@example.com", "Phone Number": "(415) 555-2671",
                "message": "Hello\u{0}", "budget": 5000, "topics": ["a", "b"], "empty": " "}),
            json!({}),
        );
        let lead = &form.lead;
        assert_eq!(lead.first_name.as_deref(), Some("Ada King"));
        assert_eq!(lead.last_name.as_deref(), Some("Lovelace"));
        assert_eq!(lead.email.as_deref(), Some("ada@example.com"));
        assert_eq!(lead.phone.as_deref(), Some("+14155552671"));
        assert_eq!(lead.notes.as_deref(), Some("Hello"));
        assert_eq!(json!(lead.custom_fields), json!({"budget": "5000", "topics": "a, b"}));
        assert!(!form.robot && form.is_usable());
    }

    #[test]
    fn a_mapping_says_what_a_field_is() {
        let settings = json!({"fields": {"q1": "first_name", "q2": "phone", "q3": "roof", "q4": "ignore", "email": "work"}});
        let fields = json!({"q1": "Ada", "q2": "415 555 2671", "q3": "flat", "q4": "x", "email": "a@b.example"});
        let form = submit(fields, settings);
        assert_eq!(form.lead.first_name.as_deref(), Some("Ada"));
        assert_eq!(form.lead.phone.as_deref(), Some("+14155552671"));
        assert_eq!(form.lead.email, None);
        assert_eq!(json!(form.lead.custom_fields), json!({"roof": "flat", "work": "a@b.example"}));
    }

    #[test]
    fn source_and_utm_are_kept() {
        let source = |fields, settings| submit(fields, settings).lead.source;
        let paid = json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring"});
        let form = submit(paid.clone(), json!({"source": "landing"}));
        assert_eq!(form.lead.source.as_deref(), Some("google_ads"));
        let utm = json!({"source": "google", "medium": "cpc", "campaign": "spring"});
        assert_eq!(form.lead.custom_fields["utm"], utm);
        assert_eq!(source(json!({"fbclid": "x"}), json!({})).as_deref(), Some("facebook_ads"));
        assert_eq!(
            source(json!({"utm_source": "Newsletter"}), json!({})).as_deref(),
            Some("newsletter")
        );
        assert_eq!(
            source(json!({"a": 1}), json!({"source": "landing"})).as_deref(),
            Some("landing")
        );
        let mut said = paid;
        said["source"] = "referral".into();
        assert_eq!(source(said, json!({})).as_deref(), Some("referral"));
    }

    #[test]
    fn who_fills_in_the_honeypot_is_a_robot() {
        let settings = json!({"honeypot": "website"});
        assert!(submit(json!({"name": "x", "website": "spam"}), settings.clone()).robot);
        assert!(!submit(json!({"name": "x", "website": ""}), settings).robot);
    }

    #[test]
    fn what_cannot_be_read_is_kept_as_it_is() {
        let form = submit(json!({"email": "nope", "phone": "12"}), json!({}));
        assert_eq!((&form.lead.email, &form.lead.phone), (&None, &None));
        assert_eq!(form.lead.custom_fields["email"], "nope");
        assert_eq!(form.lead.phone_raw.as_deref(), Some("12"));
        assert!(!submit(json!({"email": "nope"}), json!({})).is_usable());
    }

    #[test]
    fn what_is_too_much_is_cut() {
        let fields: Map<String, Value> =
            (0..300).map(|n| (format!("f{n}"), json!("x".repeat(9_000)))).collect();
        let form = read(&fields, &FormSettings::default(), "US");
        assert!(json!(form.lead.custom_fields).to_string().len() <= lead::MAX_CUSTOM_FIELDS);
        assert!(!form.lead.custom_fields.is_empty());
    }

    proptest! {
        #[test]
        fn no_form_makes_the_reader_panic(key in ".{0,120}", text in ".{0,300}") {
            let form = submit(json!({key: text}), json!({}));
            prop_assert!(form.lead.first_name.is_none_or(|name| name.chars().count() <= 200));
        }
    }
}
