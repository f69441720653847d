//! The reference of the RPCs: a page a feature, from the comments of their faces.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Result, bail};

use super::api::{Api, Function};
use super::{Page, REFERENCE};

const HEAD: &str =
    "Written by `cargo xtask gen` from the catalogue of a migrated database; do not edit.";

const INDEX: &str = "\
RPCs are called by name with named arguments: `supabase.rpc('crm_create_customer', {…})`, `POST /rest/v1/rpc/crm_create_customer`, or in SQL.
[@fieldcrm/client](../../../supabase/client/README.md) has their types.

An error has a stable `code` and, where fields are wrong, their JSON paths; `404 not_found` is also the answer for what belongs to another org. The
callers are the roles that the wall's tests try each RPC with; *service role* is a back end that has the service role's key. `newcomer` is a login
without an org, `inactive` one whose membership has ended. All other callers are refused: 401 without a login, 403 with one.
";

/// A comment in its parts.
struct Comment<'a> {
    prose: &'a str,
    errors: Option<&'a str>,
    example: Option<&'a str>,
}

impl<'a> Comment<'a> {
    fn of(comment: &'a str) -> Self {
        let (rest, example) = split(comment, "Example: ");
        let (prose, errors) = split(rest, "Errors: ");
        Self { prose, errors, example }
    }
}

fn split<'a>(text: &'a str, mark: &str) -> (&'a str, Option<&'a str>) {
    text.split_once(mark)
        .map_or((text.trim(), None), |(before, after)| (before.trim(), Some(after.trim())))
}

pub fn pages(api: &Api, features: &[(String, String)]) -> Result<Vec<Page>> {
    let mut by_stem: BTreeMap<&str, Vec<&Function>> = BTreeMap::new();
    for function in &api.functions {
        let Some((_, stem)) = features.iter().find(|(name, _)| *name == function.name) else {
            bail!("no file of pg_ext/sql makes {}", function.name);
        };
        by_stem.entry(stem).or_default().push(function);
    }
    let mut index = format!("# RPCs\n\n{HEAD}\n\n{INDEX}\n| RPC | What it does |\n|---|---|\n");
    let mut pages = Vec::new();
    for (stem, functions) in by_stem {
        let mut text = format!("# RPCs: {}\n\n{HEAD}\n", stem.replace('_', " "));
        for function in functions {
            let comment = Comment::of(&function.comment);
            let _ = write!(text, "\n{}", describe(function, &comment));
            let line = comment.prose.replace('\n', " ");
            let first =
                line.split_once(". ").map_or(line.trim_end_matches('.'), |(first, _)| first);
            let first = prose(first).replace('|', "\\|");
            let name = &function.name;
            let _ = writeln!(index, "| [`{name}`]({stem}.md#{name}) | {first} |");
        }
        pages.push(Page::new(format!("{REFERENCE}/{stem}.md"), text));
    }
    pages.push(Page::new(format!("{REFERENCE}/README.md"), index));
    Ok(pages)
}

fn describe(function: &Function, comment: &Comment<'_>) -> String {
    let mut text = format!("## {0}\n\n```sql\n{0}(", function.name);
    for (place, argument) in function.arguments.iter().enumerate() {
        let mark = if place == 0 { "" } else { "," };
        let _ = write!(text, "{mark}\n  {} {}", argument.name, argument.of.name);
        if let Some(default) = &argument.default {
            // `'x'::text` says no more than `'x'`.
            let plain = default.split_once("::").map_or(default.as_str(), |(plain, _)| plain);
            let plain = if plain == "NULL" { "null" } else { plain };
            let _ = write!(text, " default {plain}");
        }
    }
    let end = if function.arguments.is_empty() { "" } else { "\n" };
    let _ = write!(text, "{end}) returns {}\n```\n\n{}\n\n", function.result, prose(comment.prose));
    let _ = writeln!(text, "**Callers**: {}", callers(function));
    if let Some(errors) = comment.errors {
        let _ = write!(text, "\n**Errors**: {}\n", prose(errors));
    }
    if let Some(example) = comment.example {
        let _ = write!(text, "\n```sql\n{example}\n```\n");
    }
    text
}

fn callers(function: &Function) -> String {
    let mut callers: Vec<_> = function.roles.iter().map(|role| format!("`{role}`")).collect();
    if function.service {
        callers.push("service role".to_owned());
    }
    callers.join(", ")
}

/// A comment's text as Markdown: names are set as code, and nothing is taken for a mark.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_.".contains(letter);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if !is_name(letter) {
            match letter {
                '<' => out.push_str("&lt;"),
                '*' | '\\' | '`' => out.extend(['\\', letter]),
                _ => out.push(letter),
            }
            rest = &rest[letter.len_utf8()..];
            continue;
        }
        let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches('.');
        if word.contains('_') {
            let _ = write!(out, "`{word}`");
        } else {
            out.push_str(word);
        }
        out.push_str(&rest[word.len()..end]);
        rest = &rest[end..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_has_three_parts() {
        let comment = Comment::of("Makes it.\nNeeds x. Errors: 403.\nExample: select 1;");
        assert_eq!(comment.prose, "Makes it.\nNeeds x.");
        assert_eq!((comment.errors, comment.example), (Some("403."), Some("select 1;")));
    }

    #[test]
    fn names_become_code_and_marks_are_escaped() {
        assert_eq!(
            prose("due_at: of crm_followups.due_at. <a> * b"),
            "`due_at`: of `crm_followups.due_at`. &lt;a> \\* b"
        );
    }
}
