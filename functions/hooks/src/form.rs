//! Forms of landing pages, and what other systems send in their stead.

use axum::body::Bytes;
use serde_json::{Map, Value, json};

use crate::event::storable;
use crate::payload::{Form, Unreadable, is, json as parse};

/// How many fields a form can have.
const MOST: usize = 500;
/// What of the page's URL says where somebody came from.
const CAMPAIGN: [&str; 9] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
    "gclid",
    "fbclid",
    "msclkid",
];

/// What was filled in: names and values, several values of a name as a list, of files their names.
/// Where somebody came from is taken from the URL unless the form says it.
pub fn fields(
    content_type: &str,
    body: &Bytes,
    query: &str,
) -> Result<Map<String, Value>, Unreadable> {
    let mut fields = if is(content_type, "application/x-www-form-urlencoded")
        || is(content_type, "multipart/form-data")
    {
        of_form(Form::read(content_type, body)?)
    } else {
        // Of any other type: curl's default is not JSON's.
        let Value::Object(object) = parse(body)? else { return Err(Unreadable) };
        object
    };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if CAMPAIGN.contains(&&*name) && !value.is_empty() && !fields.contains_key(&*name) {
            fields.insert(name.into_owned(), value.into_owned().into());
        }
    }
    if fields.len() > MOST {
        return Err(Unreadable);
    }
    match storable(Value::Object(fields)) {
        Value::Object(fields) => Ok(fields),
        _ => Err(Unreadable),
    }
}

fn of_form(form: Form) -> Map<String, Value> {
    let mut fields = Map::new();
    for field in form.0 {
        let value = match &field.file {
            Some((name, kind)) => {
                json!({"file": name, "mime_type": kind, "size": field.value.len()})
            }
            None => field.text().into(),
        };
        match fields.get_mut(&field.name) {
            None => drop(fields.insert(field.name, value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_where_somebody_came_from_unless_the_form_does() {
        let body = Bytes::from_static(b"email=a%40b.example&utm_source=form");
        let query = "utm_source=google&utm_campaign=spring&gclid=&debug=1";
        let fields = fields("application/x-www-form-urlencoded", &body, query).unwrap();
        let expected =
            json!({"email": "a@b.example", "utm_source": "form", "utm_campaign": "spring"});
        assert_eq!(Value::Object(fields), expected);
    }

    #[test]
    fn what_is_no_form_is_unreadable() {
        let read = |kind: &str, body: &str| fields(kind, &Bytes::from(body.to_owned()), "");
        assert_eq!(read("application/json", "[1]"), Err(Unreadable));
        assert_eq!(read("application/json", "{"), Err(Unreadable));
        let many = (0..501).map(|n| format!("f{n}=1")).collect::<Vec<_>>().join("&");
        assert_eq!(read("application/x-www-form-urlencoded", &many), Err(Unreadable));
    }
}
