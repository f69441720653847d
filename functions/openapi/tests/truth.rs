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
            .filter(|route| !route.ends_with("/openapi.json"))
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
                let name = before.rsplit(|letter: char| !letter.is_ascii_lowercase()).next().unwrap_or_default();
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

/// The names of a described body.
fn names(document: &Value, schema: &str) -> BTreeSet<String> {
    let properties = &document["components"]["schemas"][schema]["properties"];
    properties.as_object().unwrap_or_else(|| panic!("no {schema}")).keys().cloned().collect()
}

#[test]
fn bodies_have_the_names_of_cores_arguments() {
    use fieldcrm_core::{ai, automation, customer, followup, interaction};
    use serde_aux::serde_introspection::serde_introspect;

    let file = fieldcrm_openapi::files().into_iter().find(|file| file.path.contains("/crm/"));
    let crm: Value = serde_json::from_str(&file.unwrap().text).unwrap();
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
        let core: BTreeSet<String> = core.iter().map(|name| (*name).to_owned()).collect();
        let mut described = names(&crm, schema);
        // The older clients' name, which the function itself takes.
        described.remove("acquisition_source");
        let core = core.into_iter().filter(|name| name != "idempotency_key").collect();
        assert_eq!(described, core, "{schema}");
    }
}
