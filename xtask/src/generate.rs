//! `cargo xtask gen`: the parts of the documentation that the database and the tests' own lists
//! already say, so that nobody writes them twice, and what the functions serve as `openapi.json`.

mod api;
mod reference;
mod typescript;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use fieldcrm_openapi::File;

use crate::checkout;
use crate::postgres::{self, Database};
use crate::report::Step;
use crate::stack::{Kind, Stack};
use crate::suite::Tally;

const MODEL: &str = "docs/data-model.md";
const SECURITY: &str = "docs/security.md";
const REFERENCE: &str = "docs/api/rpc";
const TYPES: &str = "supabase/client/database.d.ts";
const BEGIN: &str =
    "<!-- Written by cargo xtask gen from supabase/tests/database/wall/expected.sql. -->";
const END: &str = "<!-- End of what cargo xtask gen writes. -->";

const MODEL_HEAD: &str = "# Data model

Written by `cargo xtask gen` from the catalogue of a migrated database; do not edit.

Every table of a tenant has `org_id`, which references `orgs`, and its foreign keys are composite: `(org_id, parent_id)`, or
`(org_id, customer_id, parent_id)` where the parent must be the same customer's. The diagrams show the columns that are keys, and
name a link by its last column.
";

/// A file as it should be.
struct Page {
    path: String,
    text: String,
}

impl Page {
    fn new(path: impl Into<String>, text: String) -> Self {
        Self { path: path.into(), text }
    }
}

/// Writes the pages, or with `check` fails where one is not up to date.
pub fn run(check: bool, url: Option<&str>) -> Result<ExitCode> {
    let database = match url {
        Some(url) => from_url(url)?,
        None => running()?,
    };
    let mut stale = false;
    let pages = pages(&database)?;
    for path in leftovers(&pages)? {
        let name = checkout::file_name(&path);
        if check {
            println!("{REFERENCE}/{name} is of no feature");
            stale = true;
        } else {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            println!("{REFERENCE}/{name} removed");
        }
    }
    for page in pages {
        let path = checkout::path(&page.path);
        if is_current(&path, &page) {
            println!("{} is current", page.path);
        } else if check {
            println!("{} is not what `cargo xtask gen` writes", page.path);
            stale = true;
        } else {
            fs::write(&path, &page.text)
                .with_context(|| format!("cannot write {}", path.display()))?;
            println!("{} written", page.path);
        }
    }
    Ok(if stale { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Whether each page is up to date, counted like a test.
pub fn check(database: &Database) -> Result<Tally> {
    let mut tally = Tally::default();
    let pages = pages(database)?;
    for path in leftovers(&pages)? {
        Step::start(REFERENCE)
            .failed(format!("{} is of no feature: run `cargo xtask gen`", path.display()));
        tally += Tally::FAILED;
    }
    for page in pages {
        let step = Step::start(page.path.clone());
        if is_current(&checkout::path(&page.path), &page) {
            step.done(format!("{} is current", page.path));
            tally += Tally { passed: 1, failed: 0 };
        } else {
            step.failed(format!("{} is stale: run `cargo xtask gen`", page.path));
            tally += Tally::FAILED;
        }
    }
    Ok(tally)
}

fn is_current(path: &Path, page: &Page) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text == page.text)
}

/// The pages of features that are no more.
fn leftovers(pages: &[Page]) -> Result<Vec<PathBuf>> {
    let mut found = checkout::files(&checkout::path(REFERENCE), ".md")?;
    found.retain(|path| pages.iter().all(|page| checkout::path(&page.path) != *path));
    Ok(found)
}

fn pages(database: &Database) -> Result<Vec<Page>> {
    let source = |name: &str| read(&checkout::path(&format!("xtask/src/generate/{name}.sql")));
    let wall =
        |name: &str| read(&checkout::path(&format!("supabase/tests/database/wall/{name}.sql")));
    let model = database.query(&source("model")?)?;
    let list = wall("expected")?;
    let matrix = database.query(&format!("{list}\n{}", source("matrix")?))?;
    let security = between(&read(&checkout::path(SECURITY))?, &matrix)?;
    let facts = database.query(&format!("{list}\n{}\n{}", wall("rpcs")?, source("api")?))?;
    let api = api::Api::read(&facts)?;
    let mut pages = vec![
        Page::new(MODEL, format!("{MODEL_HEAD}\n{model}\n")),
        Page::new(SECURITY, security),
        Page::new(TYPES, typescript::declarations(&api)),
    ];
    pages.extend(reference::pages(&api, &features()?)?);
    let documents = fieldcrm_openapi::files().into_iter();
    pages.extend(documents.map(|File { path, text }| Page::new(path, text)));
    Ok(pages)
}

/// Each RPC with the stem of the feature whose face it is part of.
fn features() -> Result<Vec<(String, String)>> {
    let mut features = Vec::new();
    for path in checkout::files(&checkout::path("pg_ext/sql"), ".sql")? {
        let stem = checkout::file_name(&path).trim_end_matches(".sql").to_owned();
        for face in read(&path)?.split("create or replace function public.").skip(1) {
            if let Some((name, _)) = face.split_once('(') {
                features.push((name.to_owned(), stem.clone()));
            }
        }
    }
    Ok(features)
}

fn read(path: &PathBuf) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The page with the text between its two marks replaced.
fn between(page: &str, text: &str) -> Result<String> {
    let (Some((before, rest)), Some((_, after))) = (page.split_once(BEGIN), page.split_once(END))
    else {
        bail!("{SECURITY} has lost its marks: put back {BEGIN} and {END}");
    };
    if !rest.contains(END) {
        bail!("in {SECURITY} the end mark comes before the begin mark");
    }
    Ok(format!("{before}{BEGIN}\n\n{text}\n\n{END}{after}"))
}

/// The database of the stack engineers work with.
fn running() -> Result<Database> {
    let stack = Stack::existing(Kind::Dev)?.context("there is no stack: run `cargo xtask up`")?;
    if !stack.cluster.is_running() {
        bail!("the stack is not running: run `cargo xtask up --detach`, or give --database-url");
    }
    Ok(stack.database())
}

/// `postgresql://user:password@127.0.0.1:port/name`, as `stack.env` has it.
fn from_url(url: &str) -> Result<Database> {
    parse(url, postgres::layout()?.bin.join("psql"))
        .context("the URL is not postgresql://user:password@127.0.0.1:port/name")
}

fn parse(url: &str, psql: PathBuf) -> Option<Database> {
    let rest = url.strip_prefix("postgresql://").or_else(|| url.strip_prefix("postgres://"))?;
    let (login, place) = rest.rsplit_once('@')?;
    let (user, password) = login.split_once(':')?;
    let (host, name) = place.split_once('/')?;
    let port = host.strip_prefix("127.0.0.1:").or_else(|| host.strip_prefix("localhost:"))?;
    Some(Database {
        psql,
        port: port.parse().ok()?,
        user: user.to_owned(),
        password: password.to_owned(),
        name: name.to_owned(),
        options: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let page = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        assert_eq!(between(&page, "new").unwrap(), format!("a\n{BEGIN}\n\nnew\n\n{END}\nb\n"));
        assert!(between("a", "new").is_err());
        assert!(between(&format!("{END} {BEGIN}"), "new").is_err());
    }

    #[test]
    fn what_is_renamed_in_the_database_makes_other_pages() {
        let facts = r#"{"functions": [{"name": "crm_go", "arguments": [{"name": "how", "type":
            {"name": "mood", "base": "mood", "enum": true, "list": false}, "default": "NULL::mood"}],
            "columns": null, "returns": {"name": "jsonb", "base": "jsonb", "enum": false, "list": false},
            "set": false, "result": "jsonb", "roles": ["owner"], "service": true,
            "comment": "Goes.\nErrors: 403 forbidden.\nExample: select crm_go();"}],
            "relations": [{"name": "trips", "view": false, "links": [], "columns": [{"name": "ends_at",
            "type": {"name": "timestamp with time zone", "base": "timestamptz", "enum": false, "list": false},
            "null": true, "default": false, "computed": false}]}],
            "enums": [{"name": "mood", "labels": ["good", "bad"]}]}"#;
        let texts = |facts: &str, name: &str| {
            let api = api::Api::read(facts).unwrap();
            let features = [(name.to_owned(), "trip".to_owned())];
            let reference = reference::pages(&api, &features).unwrap();
            (typescript::declarations(&api), reference.into_iter().map(|page| page.text).collect())
        };
        let (types, pages): (String, Vec<String>) = texts(facts, "crm_go");
        assert!(types.contains("          ends_at?: string | null;"));
        assert!(types.contains(
            r#"crm_go: { Args: { how?: Database["public"]["Enums"]["mood"] | null }; Returns: Result<"crm_go"> }"#
        ));
        assert!(types.contains(r#"mood: "good" | "bad";"#));
        assert!(pages[0].contains("crm_go(\n  how mood default null\n) returns jsonb"));
        for (from, to) in [("ends_at", "finishes_at"), ("bad", "sad"), ("mood", "temper")] {
            assert_ne!(texts(&facts.replace(from, to), "crm_go").0, types);
        }
        let renamed = facts.replace("crm_go", "crm_leave");
        assert_ne!(texts(&renamed, "crm_leave"), (types, pages));
        let unknown = reference::pages(&api::Api::read(&renamed).unwrap(), &[]);
        assert!(unknown.is_err_and(|error| error.to_string().contains("crm_leave")));
    }

    #[test]
    fn a_url_is_read() {
        let database = parse("postgresql://me:p@127.0.0.1:54322/postgres", PathBuf::new()).unwrap();
        assert_eq!(database.url(), "postgresql://me:p@127.0.0.1:54322/postgres");
        assert!(parse("postgresql://me:p@db.example:5432/postgres", PathBuf::new()).is_none());
    }
}
