//! How much of what a definition asks for a customer meets.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use super::definition::{Combinator, Definition, Group, Member};
use super::sentence;

/// A hundred percent, fine enough for means of means.
const ALL: u64 = 1_000_000;
/// The most characters of a reason.
const MAX_REASON: usize = 500;

/// A score from 0 to 100, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub score: u64,
    pub reason: String,
}

/// Scores by the results of a definition's rules: of `and` the mean of its members, of `or` the most. Only who matches has 100.
pub struct Scorer<'a> {
    query: &'a Group,
    /// Where the result of the rule or group at a path is.
    places: HashMap<&'a str, usize>,
    /// What the members of the query say.
    words: Vec<String>,
}

impl<'a> Scorer<'a> {
    /// `paths`: as of the compiled definition.
    #[must_use]
    pub fn new(definition: &'a Definition, paths: &'a [String]) -> Self {
        let query = &definition.query;
        Self {
            query,
            places: paths.iter().enumerate().map(|(at, path)| (path.as_str(), at)).collect(),
            words: query.members.iter().map(sentence::member).collect(),
        }
    }

    /// `nodes`: `[[result, …], …]` in the order of the paths.
    #[must_use]
    pub fn score(&self, nodes: &Value) -> Finding {
        let score = self.group(self.query, nodes) * 100 / ALL;
        let (mut met, mut unmet) = (Vec::new(), Vec::new());
        for (member, words) in self.query.members.iter().zip(&self.words) {
            let path = match member {
                Member::Group(group) => &group.path,
                Member::Rule(rule) => &rule.path,
            };
            if self.holds(path, nodes) { &mut met } else { &mut unmet }.push(words.as_str());
        }
        let said = [("Met: ", met), ("Not met: ", unmet)]
            .into_iter()
            .filter(|(_, words)| !words.is_empty())
            .map(|(name, words)| format!("{name}{}.", words.join("; ")));
        let reason = said.collect::<Vec<_>>().join(" ");
        let reason =
            if self.query.not { format!("Asked for is the opposite. {reason}") } else { reason };
        Finding {
            score,
            reason: reason.chars().filter(|one| *one != '\0').take(MAX_REASON).collect(),
        }
    }

    fn group(&self, group: &Group, nodes: &Value) -> u64 {
        if group.not || group.members.is_empty() {
            return self.all_or_nothing(&group.path, nodes);
        }
        let members = group.members.iter().map(|member| match member {
            Member::Group(group) => self.group(group, nodes),
            Member::Rule(rule) => self.all_or_nothing(&rule.path, nodes),
        });
        match group.combinator {
            Combinator::Or => members.max().unwrap_or_default(),
            // Rounded down, so that it is all only where each is.
            Combinator::And => members.sum::<u64>() / group.members.len() as u64,
        }
    }

    fn all_or_nothing(&self, path: &str, nodes: &Value) -> u64 {
        if self.holds(path, nodes) { ALL } else { 0 }
    }

    fn holds(&self, path: &str, nodes: &Value) -> bool {
        self.places.get(path).is_some_and(|at| nodes[*at][0] == true)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::segment::{compile, parse};

    fn rule(value: &str) -> Value {
        json!({"field": "name", "operator": "=", "value": value})
    }

    /// Whether a rule or group holds where exactly the rules with these names do.
    fn holds(query: &Value, held: &[&str]) -> bool {
        let Some(rules) = query["rules"].as_array() else {
            return held.contains(&query["value"].as_str().unwrap());
        };
        let mut rules = rules.iter().map(|rule| holds(rule, held));
        let found =
            if query["combinator"] == "or" { rules.any(|it| it) } else { rules.all(|it| it) };
        found != (query["not"] == true)
    }

    /// The score where exactly the rules with these names hold.
    fn finding(query: &Value, held: &[&str]) -> Finding {
        let definition =
            parse(&json!({"version": 1, "entity": "customer", "query": query})).unwrap();
        let compiled = compile(&definition);
        let nodes: Vec<_> = compiled
            .nodes()
            .iter()
            .map(|path| {
                let pointer = format!("/{}", path.replace(['.', '['], "/").replace(']', ""));
                let whole = json!({"query": query});
                json!([holds(whole.pointer(&pointer).unwrap(), held), null])
            })
            .collect();
        Scorer::new(&definition, compiled.nodes()).score(&json!(nodes))
    }

    #[test]
    fn and_is_the_mean_of_its_members_and_or_the_most() {
        let or = json!({"combinator": "or", "rules": [rule("c"), rule("d")]});
        let query = json!({"combinator": "and", "rules": [rule("a"), rule("b"), or]});
        for (held, score) in [
            (&[] as &[&str], 0),
            (&["a"], 33),
            (&["a", "b"], 66),
            (&["c", "d"], 33),
            (&["a", "b", "d"], 100),
        ] {
            assert_eq!(finding(&query, held).score, score, "{held:?}");
        }
        let inner = json!({"combinator": "and", "rules": [rule("b"), rule("c")]});
        let query = json!({"combinator": "or", "rules": [rule("a"), inner]});
        assert_eq!(finding(&query, &["b"]).score, 50);
        assert_eq!(finding(&query, &["a", "b"]).score, 100);
    }

    #[test]
    fn what_is_negated_is_met_or_not() {
        let not = json!({"combinator": "and", "not": true, "rules": [rule("a"), rule("b")]});
        assert_eq!(finding(&not, &["a"]).score, 100);
        assert_eq!(finding(&not, &["a", "b"]).score, 0);
    }

    #[test]
    fn only_who_matches_everything_has_a_hundred() {
        let rules: Vec<_> = (0..100).map(|n| rule(&n.to_string())).collect();
        let names: Vec<_> = (0..99).map(|n| n.to_string()).collect();
        let held: Vec<_> = names.iter().map(String::as_str).collect();
        assert_eq!(finding(&json!({"combinator": "and", "rules": rules}), &held).score, 99);
    }

    #[test]
    fn the_reason_says_what_is_met_and_what_is_not() {
        let query = json!({"combinator": "and", "rules": [rule("a"), rule("b"), rule("c")]});
        assert_eq!(
            finding(&query, &["a", "c"]).reason,
            "Met: name is \"a\"; name is \"c\". Not met: name is \"b\"."
        );
        assert_eq!(finding(&query, &["a", "b", "c"]).reason.matches("Not met").count(), 0);
        let long = json!({"combinator": "and", "rules": [rule(&"é".repeat(1000))]});
        assert_eq!(finding(&long, &[]).reason.chars().count(), 500);
    }
}
