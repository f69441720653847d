//! What the builtin rules find in notes, against what a person finds (insight/README.md).

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::collections::BTreeSet;

use fieldcrm_core::ai::insight::{Kind, Said, builtin};
use serde_json::json;

const DEV: &str = include_str!("insight/dev.tsv");
const TEST: &str = include_str!("insight/test.tsv");

fn note(text: &str) -> Said {
    let id = "0d0e0f10-0000-4000-8000-000000000001";
    serde_json::from_value(
        json!({"id": id, "day": "2026-11-20", "channel": "note", "direction": null,
        "sentiment": null, "text": text}),
    )
    .unwrap()
}

/// Of each kind: those that are both, only found, only labelled.
fn compare(notes: &str) -> [[u32; 3]; Kind::ALL.len()] {
    let mut counts = [[0; 3]; Kind::ALL.len()];
    for line in notes.lines() {
        let (labels, text) = line.split_once('\t').unwrap();
        let labels: BTreeSet<&str> = labels.split(',').filter(|label| *label != "-").collect();
        let found: BTreeSet<&str> =
            builtin(&[note(text)]).iter().map(|one| one.kind.as_str()).collect();
        if labels != found && std::env::var_os("INSIGHT_SHOW").is_some() {
            println!("{labels:?} but {found:?}: {text}");
        }
        for (kind, counts) in Kind::ALL.iter().zip(&mut counts) {
            match (labels.contains(kind.as_str()), found.contains(kind.as_str())) {
                (true, true) => counts[0] += 1,
                (false, true) => counts[1] += 1,
                (true, false) => counts[2] += 1,
                (false, false) => {}
            }
        }
    }
    counts
}

#[test]
fn rules_find_what_a_person_finds() {
    for (name, notes, least) in [("dev", DEV, 0.9), ("test", TEST, 0.9)] {
        let counts = compare(notes);
        let mut sum = [0; 3];
        println!("{name}: {} notes", notes.lines().count());
        let of = |[both, found, labelled]: [u32; 3]| {
            let part = |other: u32| f64::from(both) / f64::from((both + other).max(1));
            (part(found), part(labelled))
        };
        for (kind, counts) in Kind::ALL.iter().zip(counts) {
            let (precision, recall) = of(counts);
            println!("{:10} precision {precision:.2} recall {recall:.2} {counts:?}", kind.as_str());
            for (sum, count) in sum.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        let (precision, recall) = of(sum);
        println!("all        precision {precision:.3} recall {recall:.3} {sum:?}");
        assert!(precision >= least && recall >= least, "{name}: {precision} {recall}");
    }
}

/// Messages that others wrote and labelled (sentiment/messages.tsv), of which every second one had rules made for it, and 80 of all were read once: who is content praises, who
/// is not complains.
#[test]
fn what_customers_write_is_taken_for_praise_and_complaints() {
    for (name, seen) in [("seen", 0), ("unseen", 1)] {
        let lines =
            include_str!("sentiment/messages.tsv").lines().filter(|line| !line.starts_with('#'));
        let lines: Vec<_> = lines.enumerate().filter(|(at, _)| at % 2 == seen).collect();
        for (kind, label) in [(Kind::Praise, "positive"), (Kind::Complaint, "negative")] {
            let mut counts = [0_u32; 3];
            for (_, line) in &lines {
                let (felt, text) = line.split_once('\t').unwrap();
                let found = builtin(&[note(text)]).iter().any(|one| one.kind == kind);
                match (felt == label, found) {
                    (true, true) => counts[0] += 1,
                    (false, true) => counts[1] += 1,
                    (true, false) => counts[2] += 1,
                    (false, false) => {}
                }
                if (felt == label) != found
                    && seen == 0
                    && std::env::var_os("INSIGHT_SHOW").is_some()
                {
                    println!("{felt}, {} {found}: {text}", kind.as_str());
                }
            }
            let [both, found, labelled] = counts.map(f64::from);
            let (precision, recall) = (both / (both + found), both / (both + labelled));
            println!(
                "{name} {:9} precision {precision:.2} recall {recall:.2} {counts:?}",
                kind.as_str()
            );
            assert!(precision > 0.8 && recall > 0.4, "{name}: {precision} {recall}");
        }
    }
}
