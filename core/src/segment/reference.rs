//! docs/segments.md, generated: what it shows is what the code does.

use std::fmt::Write;

use serde_json::{Value, json};

use super::catalogue::{CUSTOMER, ENTITIES, Field, Kind};
use super::{MAX_DEPTH, MAX_RULES, MAX_VALUES, compile, parse, sentence, value};

/// An example for each operator, and for what is no operator; each is a rule in JSON.
pub const EXAMPLES: &[(&str, &str)] = &[
    ("=", r#"{"field": "status", "operator": "=", "value": "active"}"#),
    ("!=", r#"{"field": "source", "operator": "!=", "value": "referral"}"#),
    ("<", r#"{"field": "created_at", "operator": "<", "value": "2026-01-31"}"#),
    (">", r#"{"field": "total_spend", "operator": ">", "value": 500}"#),
    ("<=", r#"{"field": "balance_due", "operator": "<=", "value": "99.95"}"#),
    (
        ">=",
        r#"{"field": "updated_at", "operator": ">=", "value": {"mode": "relative", "anchor": "startOfMonth", "offset": -1, "unit": "month"}}"#,
    ),
    (
        "contains",
        r#"{"field": "notes", "operator": "contains", "value": "gate code", "meta": {"ignoreCase": true}}"#,
    ),
    ("beginsWith", r#"{"field": "phone", "operator": "beginsWith", "value": "+44"}"#),
    ("endsWith", r#"{"field": "email", "operator": "endsWith", "value": "@example.com"}"#),
    (
        "doesNotContain",
        r#"{"field": "notes", "operator": "doesNotContain", "value": "do not call"}"#,
    ),
    (
        "doesNotBeginWith",
        r#"{"field": "postal_code", "operator": "doesNotBeginWith", "value": "SW"}"#,
    ),
    (
        "doesNotEndWith",
        r#"{"field": "email", "operator": "doesNotEndWith", "value": ".gov", "meta": {"includeEmpty": false}}"#,
    ),
    ("null", r#"{"field": "owner_id", "operator": "null"}"#),
    ("notNull", r#"{"field": "work_orders", "operator": "notNull"}"#),
    ("in", r#"{"field": "city", "operator": "in", "value": ["London", "York"]}"#),
    (
        "notIn",
        r#"{"field": "pipeline_stage", "operator": "notIn", "value": "closed_won, closed_lost"}"#,
    ),
    ("between", r#"{"field": "jobs_count", "operator": "between", "value": [2, 5]}"#),
    (
        "notBetween",
        r#"{"field": "created_at", "operator": "notBetween", "value": ["2026-01-01", "2026-03-31"]}"#,
    ),
    ("containsAny", r#"{"field": "tags", "operator": "containsAny", "value": ["VIP", "Net 30"]}"#),
    ("containsAll", r#"{"field": "tags", "operator": "containsAll", "value": ["VIP", "Net 30"]}"#),
    ("containsNone", r#"{"field": "tags", "operator": "containsNone", "value": "Do not call"}"#),
    (
        "withinLast",
        r#"{"field": "last_interaction_at", "operator": "withinLast", "value": "P30D"}"#,
    ),
    (
        "withinNext",
        r#"{"field": "quotes", "operator": "=", "value": {"combinator": "and", "rules": [{"field": "valid_until", "operator": "withinNext", "value": "P1W"}]}}"#,
    ),
    ("olderThan", r#"{"field": "last_service_at", "operator": "olderThan", "value": "P6M"}"#),
    (
        "valueSource",
        r#"{"field": "name", "operator": "!=", "valueSource": "field", "value": "company_name"}"#,
    ),
    (
        "match some",
        r#"{"field": "interactions", "operator": "=", "match": {"mode": "some"}, "value": {"combinator": "and", "rules": [{"field": "sentiment", "operator": "=", "value": "negative"}]}}"#,
    ),
    (
        "match all",
        r#"{"field": "invoices", "operator": "=", "match": {"mode": "all"}, "value": {"combinator": "and", "rules": [{"field": "status", "operator": "in", "value": ["paid", "void"]}]}}"#,
    ),
    (
        "match none",
        r#"{"field": "followups", "operator": "=", "match": {"mode": "none"}, "value": {"combinator": "and", "rules": [{"field": "status", "operator": "=", "value": "pending"}]}}"#,
    ),
    (
        "match atLeast",
        r#"{"field": "work_orders", "operator": "=", "match": {"mode": "atLeast", "threshold": 2}, "value": {"combinator": "and", "rules": [{"field": "status", "operator": "=", "value": "completed"}]}}"#,
    ),
    (
        "match atMost",
        r#"{"field": "locations", "operator": "=", "match": {"mode": "atMost", "threshold": 3}}"#,
    ),
    (
        "match exactly",
        r#"{"field": "contacts", "operator": "=", "match": {"mode": "exactly", "threshold": 1}}"#,
    ),
    (
        "aggregate",
        r#"{"field": "invoices", "operator": ">", "value": 1000, "meta": {"aggregate": {"fn": "sum", "column": "total", "filter": {"combinator": "and", "rules": [{"field": "status", "operator": "=", "value": "paid"}]}}}}"#,
    ),
];

/// The definition that has one rule only.
#[must_use]
pub fn alone(rule: &Value) -> Value {
    json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [rule]}})
}

fn table(text: &mut String, fields: &[Field]) {
    text.push_str("| Field | Type | Values |\n|---|---|---|\n");
    for field in fields {
        let values = match field.kind {
            Kind::Enum(choices, _) => choices.join(", "),
            _ => String::new(),
        };
        let _ = writeln!(text, "| `{}` | {} | {values} |", field.name, field.kind.name());
    }
}

/// The reference of the language, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut text = format!(
        "# Segments: the language\n\n\
<!-- Generated by fieldcrm_core::segment::reference. A test compares it with the code. -->\n\n\
A definition is the query of react-querybuilder (`RuleGroupType`) in an envelope:\n\n\
```json\n{{\"version\": 1, \"entity\": \"customer\", \"query\": {{\"combinator\": \"and\", \"not\": false, \"rules\": []}}}}\n```\n\n\
A group has `combinator` (and, or), `not` and `rules`; a rule has `field`, `operator`, `value`, `valueSource`, `match` and `meta`.\n\
Both may carry react-querybuilder's `id`, `path` and `disabled`, which say nothing here; a `muted` rule or group is left out as if it\n\
were absent. Any other key is refused. A definition, and every group in it, needs at least one rule.\n\n\
Limits: groups {MAX_DEPTH} deep, {MAX_RULES} rules, {MAX_VALUES} values in a list, {} characters in a text.\n\n\
Archived customers are left out unless a rule names `is_archived`.\n\n",
        value::MAX_TEXT
    );
    text.push_str(
        "## Values\n\n\
- **Missing** is what has no value; an empty text is a value. Positive operators do not match it. Negative ones (`!=`, `notIn`, `doesNot…`,\n  \
`notBetween`, `containsNone`) do, unless `meta.includeEmpty` is false. A group with `not` is true exactly where it is not true without.\n\
- **Text** is compared as written; `meta.ignoreCase` compares in lower case. `<` and the like go by code point.\n\
- **Numbers** come as JSON numbers or as text.\n\
- **Lists** are arrays, or text with commas (`\\,` is a comma in a value).\n\
- **Dates** are a day in the org's time zone (`2026-01-31`), an instant (`2026-01-31T09:00:00Z`) or relative: `{\"mode\": \"relative\", \"anchor\":\n  \
\"startOfMonth\", \"offset\": -1, \"unit\": \"month\"}`. A timestamp equals a day when it is within that day, is less before its start and more from\n  \
its end on. Relative dates are local wall-clock time: truncated to the anchor, then moved. A `date` field compares with the local day of an instant.\n\
- **Durations** are ISO 8601 (`P90D`, `P3M`, `PT12H`). withinLast P: now-P <= x <= now; withinNext P: now <= x <= now+P; olderThan P: x < now-P.\n\
- **Tags** go by name, whatever the case; a name that no tag has matches nobody. **Segments** go by name or id, and by who is in them now.\n\
- `valueSource: \"field\"` compares with another field of the same record and a like type.\n\
- **Related records** take `=` with `match` and a group about them as `value` (no group: all of them; `all` holds where there are none), `null`\n  \
(has none), `notNull` (has some), or with `meta.aggregate` the operators of the figure: `count`; `sum` (of nothing: 0), `avg`, `min`, `max` of a\n  \
number; `min`, `max` of a date.\n\n",
    );
    text.push_str("## Operators by type\n\n| Type | Operators |\n|---|---|\n");
    for kind in Kind::ALL {
        let names: Vec<_> =
            kind.operators().iter().map(|one| format!("`{}`", one.as_str())).collect();
        let _ = writeln!(text, "| {} | {} |", kind.name(), names.join(" "));
    }
    text.push_str("\n## Examples\n\nEach is a rule, what it says, and the condition it becomes (`$1` holds the values).\n");
    for (name, rule) in EXAMPLES {
        let read = serde_json::from_str(rule)
            .map_err(|_| ())
            .and_then(|rule: Value| parse(&alone(&rule)).map_err(|_| ()));
        let (said, condition) = read.map_or_else(
            |()| ("(invalid)".to_owned(), String::new()),
            |definition| {
                let compiled = compile(&definition);
                let condition = compiled.matching().split_once("\n  and ").map(|(_, rest)| rest);
                (sentence(&definition), condition.unwrap_or_default().to_owned())
            },
        );
        let _ = write!(
            text,
            "\n### {name}\n\n```json\n{rule}\n```\n\n{said}\n\n```sql\n{condition}\n```\n"
        );
    }
    text.push_str("\n## Fields of a customer\n\n");
    table(&mut text, CUSTOMER);
    for entity in ENTITIES {
        let _ = write!(text, "\n## Fields of {} (`{}`)\n\n", entity.label, entity.name);
        table(&mut text, entity.fields);
    }
    text.push_str(SENTENCES);
    text
}

/// What [`crate::ai::phrase`] reads.
const SENTENCES: &str = "
## From a sentence

`fieldcrm_core::ai::phrase::understand(sentence, today, vocabulary)` makes a definition of an English sentence without a model:

> active customers in Austin not seen for 6 months with a negative interaction

is `status is active, and city is \"Austin\", and last interaction is older than 6 months, and number of negative interactions is at
least 1`. What comes out has passed the validator, matches somebody as far as the rules can say, and is said in English for who asked.
Otherwise nothing comes out but the words that were not understood, each with its place in the sentence (in characters), a code and a
message. Each word is used by a rule or is one of a few that say nothing (`please`, `show`, `all`, `the`, `customers`).

- **Names** are the org's own, from `crm_segment_vocabulary()`: tags, places, sources, kinds of jobs, products, segments, people. `in Waco` is
  refused where nobody lives there, `in the city of Waco` is not. A name of two things is refused: `the city of Kent`, `county Kent`.
- **Any field** of the catalogue goes by its label: `whose pipeline stage is proposal`, `with invoices whose amount paid is more than 100`,
  `without an email`, `whose notes contain \"gate code\"`.
- **Not seen for 6 months** is about those who were seen before; `never contacted` and `no interactions in the last 6 months` have the rest.
- **Jobs** and visits are completed ones unless it says otherwise; work orders are all. `3 jobs` are exactly 3. Open quotes and unpaid invoices are
  those sent; overdue ones are due before now. `spent over 500 this year` sums what was paid of invoices paid this year.
- **Last month** is the one before this; `the last month` is the month until now. `since March` is since the last March. `3/4/2026` and `1.000` are
  refused, being two days and two numbers.
- **And, or**: `in Austin or Dallas`, `active or prospect customers`. An `or` is refused where it is open what it is about; `either … or …` says it.
  So is a negation: `without jobs or open quotes`.

Amounts are in the org's currency; one with another sign is refused. Sentences have at most 4,000 characters.

`POST /crm/segments/{id}/recompute` of an `ai_generated` segment does so with its `ai_prompt`, and with a model where one is set up ([AI](ai.md)). The
model is told `ai::phrase::schema()` (JSON Schema and the fields), `crm_segment_aggregates()` (counts and averages; groups of fewer than 5 customers
have no averages), the org's names, and of its people those whom the sentence names: no customer. Its answer passes the same validator, names no
tag, segment or id that it was not told, and can match somebody; else it is told what is wrong, twice at most, and then it is `ai_output_invalid`. The
preview and its limit of costs come first; then the rules are stored with what they say in English as `ai_explanation`, unless somebody changed
rules or prompt meanwhile (`conflict`), and computed: `{added, removed, total, definition, explanation, provider, model}`. Words that the grammar
does not understand are `ai_refused`, with `not_understood: [{text, start, end, code, message}]`. Whoever wants to change the rules makes it a
`rule_based` segment by `PATCH`; from then on no model touches it. The clock computes rules as they are, and asks no model.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Operator;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/segments.md");

    #[test]
    fn every_operator_has_an_example_that_is_valid() {
        for operator in Operator::ALL {
            assert!(
                EXAMPLES.iter().any(|(_, rule)| {
                    rule.contains(&format!(r#""operator": "{}""#, operator.as_str()))
                }),
                "{}",
                operator.as_str()
            );
        }
        for (name, rule) in EXAMPLES {
            let rule: Value = serde_json::from_str(rule).unwrap();
            assert_eq!(parse(&alone(&rule)).map(|_| ()), Ok(()), "{name}");
        }
    }

    /// `BLESS=1 cargo test -p fieldcrm-core reference` writes the file.
    #[test]
    fn the_file_is_what_the_code_says() {
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(FILE, reference()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(FILE).unwrap(), reference());
    }
}
