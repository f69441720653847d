//! The documents against what the functions are.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// With `WRITE_OPENAPI=1` the files are written instead, as `cargo xtask gen` does.
#[test]
fn what_the_functions_serve_is_what_the_code_says() {
    for file in fieldcrm_openapi::files() {
        let path = root().join(&file.path);
        if std::env::var_os("WRITE_OPENAPI").is_some() {
            fs::write(&path, &file.text).unwrap();
        }
        let served = fs::read_to_string(&path).unwrap_or_default();
        assert!(served == file.text, "{} is stale: run `cargo xtask gen`", file.path);
    }
}

#[test]
fn every_route_is_described_and_nothing_else() {
    for file in fieldcrm_openapi::files() {
        let sources = root().join(Path::new(&file.path).parent().unwrap()).join("src");
        let mut routes = BTreeSet::new();
        read_routes(&sources, &mut routes);
        let document: Value = serde_json::from_str(&file.text).unwrap();
        let described: BTreeSet<_> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
            })
            // Of the library, for every function.
            .filter(|route| {
                !["/openapi.json", "/healthz", "/metrics"].iter().any(|end| route.ends_with(end))
            })
            .collect();
        assert!(!routes.is_empty(), "{} has no routes", sources.display());
        let undescribed: Vec<_> = routes.difference(&described).collect();
        let invented: Vec<_> = described.difference(&routes).collect();
        assert!(undescribed.is_empty(), "{}: not described: {undescribed:?}", file.path);
        assert!(invented.is_empty(), "{}: there is no {invented:?}", file.path);
    }
}

/// `post /crm/customers` of each `.route("/crm/customers", post(…))`.
fn read_routes(folder: &Path, routes: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_routes(&path, routes);
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for call in source.split(".route(").skip(1) {
            let call = call.trim_start();
            let (path, rest) = call.strip_prefix('"').unwrap().split_once('"').unwrap();
            let methods = &rest[..end_of_call(rest)];
            // Each of `get(…).post(…)`: the name before a parenthesis.
            for before in methods.split('(') {
                let name = before
                    .rsplit(|letter: char| !letter.is_ascii_lowercase())
                    .next()
                    .unwrap_or_default();
                if ["get", "post", "put", "patch", "delete"].contains(&name) {
                    routes.insert(format!("{name} {path}"));
                }
            }
        }
    }
}

fn end_of_call(rest: &str) -> usize {
    let mut depth = 1;
    for (at, letter) in rest.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    panic!("a call without an end: {rest}");
}

#[test]
fn bodies_have_the_names_of_cores_arguments() {
    use fieldcrm_core::{
        ai, automation, booking, customer, followup, interaction, portal_account, portal_assistant,
        portal_thread,
    };
    use serde_aux::serde_introspection::serde_introspect;

    let crm = document("crm");
    for (schema, core) in [
        ("NewCustomer", serde_introspect::<customer::NewCustomer>()),
        ("NewContact", serde_introspect::<customer::NewContact>()),
        ("NewLocation", serde_introspect::<customer::NewLocation>()),
        ("PreferencesPatch", serde_introspect::<customer::Preferences>()),
        ("CustomerPatch", serde_introspect::<customer::CustomerPatch>()),
        ("ContactPatch", serde_introspect::<customer::ContactPatch>()),
        ("LocationPatch", serde_introspect::<customer::LocationPatch>()),
        ("NewInteraction", serde_introspect::<interaction::NewInteraction>()),
        ("NewFollowup", serde_introspect::<followup::NewFollowup>()),
        ("FollowupPatch", serde_introspect::<followup::FollowupPatch>()),
        ("NewRule", serde_introspect::<automation::NewRule>()),
        ("RulePatch", serde_introspect::<automation::RulePatch>()),
        ("ScoreLeads", serde_introspect::<ai::lead_score::ScoreLeads>()),
        ("DraftMessage", serde_introspect::<ai::draft::DraftMessage>()),
    ] {
        assert_eq!(names(&crm, schema), of_core(core), "{schema}");
    }
    let portal = document("portal");
    for (schema, core) in [
        ("NewBooking", serde_introspect::<booking::request::NewBooking>()),
        ("NewPlace", serde_introspect::<booking::request::Address>()),
        ("NewConversation", serde_introspect::<portal_assistant::NewConversation>()),
        ("NewThread", serde_introspect::<portal_thread::NewThread>()),
        ("NotificationPatch", serde_introspect::<portal_account::NotificationPatch>()),
        ("ProfilePatch", serde_introspect::<portal_account::ProfilePatch>()),
    ] {
        assert_eq!(names(&portal, schema), of_core(core), "{schema}");
    }
    let event = serde_introspect::<automation::event::NewEvent>();
    assert_eq!(names(&document("jobs"), "NewEvent"), of_core(event), "NewEvent");
}

fn document(name: &str) -> Value {
    let path = format!("functions/{name}/openapi.json");
    let file = fieldcrm_openapi::files().into_iter().find(|file| file.path == path);
    serde_json::from_str(&file.unwrap().text).unwrap()
}

/// The names of a described body, less the older clients' name that the function itself takes.
fn names(document: &Value, schema: &str) -> BTreeSet<String> {
    let properties = document["components"]["schemas"][schema]["properties"].as_object();
    let names = properties.unwrap_or_else(|| panic!("no {schema}")).keys().cloned();
    names.filter(|name| name != "acquisition_source").collect()
}

/// Less the one that comes as a header.
fn of_core(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).filter(|name| name != "idempotency_key").collect()
}
