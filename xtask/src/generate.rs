//! `cargo xtask gen`: the parts of the documentation that the database and the tests' own lists
//! already say, so that nobody writes them twice, and what the functions serve as `openapi.json`.

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
const BEGIN: &str =
    "<!-- Written by cargo xtask gen from supabase/tests/database/wall/expected.sql. -->";
const END: &str = "<!-- End of what cargo xtask gen writes. -->";

const MODEL_HEAD: &str = "# Data model

Written by `cargo xtask gen` from the catalogue of a migrated database; do not edit.

Every table of a tenant has `org_id`, which references `orgs`, and its foreign keys are composite: `(org_id, parent_id)`, or
`(org_id, customer_id, parent_id)` where the parent must be the same customer's. The diagrams show the columns that are keys, and
name a link by its last column.
";

/// A file of the documentation as it should be.
struct Page {
    path: String,
    text: String,
}

/// Writes the pages, or with `check` fails where one is not up to date.
pub fn run(check: bool, url: Option<&str>) -> Result<ExitCode> {
    let database = match url {
        Some(url) => from_url(url)?,
        None => running()?,
    };
    let mut stale = false;
    for page in pages(&database)? {
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
    for page in pages(database)? {
        let step = Step::start(&page.path);
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

fn pages(database: &Database) -> Result<Vec<Page>> {
    let source = |name: &str| read(&checkout::path(&format!("xtask/src/generate/{name}.sql")));
    let model = database.query(&source("model")?)?;
    let list = read(&checkout::path("supabase/tests/database/wall/expected.sql"))?;
    let matrix = database.query(&format!("{list}\n{}", source("matrix")?))?;
    let security = between(&read(&checkout::path(SECURITY))?, &matrix)?;
    let mut pages = vec![
        Page { path: MODEL.to_owned(), text: format!("{MODEL_HEAD}\n{model}\n") },
        Page { path: SECURITY.to_owned(), text: security },
    ];
    let documents = fieldcrm_openapi::files().into_iter();
    pages.extend(documents.map(|File { path, text }| Page { path, text }));
    Ok(pages)
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
    fn a_url_is_read() {
        let database = parse("postgresql://me:p@127.0.0.1:54322/postgres", PathBuf::new()).unwrap();
        assert_eq!(database.url(), "postgresql://me:p@127.0.0.1:54322/postgres");
        assert!(parse("postgresql://me:p@db.example:5432/postgres", PathBuf::new()).is_none());
    }
}
