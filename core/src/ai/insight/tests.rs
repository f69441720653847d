use serde_json::json;

use super::*;

fn said(number: u128, text: &str) -> Said {
    serde_json::from_value(
        json!({"id": Uuid::from_u128(number), "day": "2026-11-20", "channel": "email_inbound",
        "direction": "inbound", "sentiment": null, "text": text}),
    )
    .unwrap()
}

fn texts(said: &[Said]) -> Vec<(&'static str, String)> {
    builtin(said).into_iter().map(|one| (one.kind.as_str(), one.text)).collect()
}

#[test]
fn a_sentence_is_quoted_word_for_word_with_where_it_stands() {
    let text = "Hello,\n> Are you content?\nSorry to say: nobody came on Tuesday! We'd still like a quote for a new boiler.";
    let found = builtin(&[said(2, text), said(1, "Called back.")]);
    assert_eq!(
        found,
        [
            Insight {
                kind: Kind::Complaint,
                text: "Sorry to say: nobody came on Tuesday!".to_owned(),
                evidence: vec![Uuid::from_u128(2)]
            },
            Insight {
                kind: Kind::Intent,
                text: "We'd still like a quote for a new boiler.".to_owned(),
                evidence: vec![Uuid::from_u128(2)]
            },
        ]
    );
    for one in &found {
        assert!(text.contains(&one.text));
    }
}

#[test]
fn what_the_company_writes_is_not_the_customer_s_word() {
    let complaint = "I am very disappointed.";
    for (channel, direction, counts) in [
        ("email_outbound", json!("outbound"), false),
        ("email", json!("system_generated"), false),
        ("phone_outbound", json!("outbound"), true),
        ("note", json!(null), true),
    ] {
        let mut one = said(1, complaint);
        one.channel = serde_json::from_value(json!(channel)).unwrap();
        one.direction = serde_json::from_value(direction).unwrap();
        assert_eq!(!builtin(&[one]).is_empty(), counts, "{channel}");
    }
}

#[test]
fn the_important_comes_first_then_the_latest_and_there_are_not_too_many() {
    let mut all = vec![said(9, "Thanks, excellent work."), said(8, "I am upset.")];
    all.extend((0..7).map(|n| said(n, &format!("Nobody called about job {n}."))));
    let found = texts(&all);
    let expected = ["I am upset.", "Nobody called about job 0.", "Nobody called about job 1."];
    assert_eq!(found.iter().take(3).map(|(_, text)| text.as_str()).collect::<Vec<_>>(), expected);
    assert_eq!(found.last().unwrap(), &("praise", "Thanks, excellent work.".to_owned()));
    assert_eq!(found.len(), 4);
}

#[test]
fn the_same_sentence_again_is_one_insight_with_more_evidence() {
    let found = builtin(&[said(2, "I am upset."), said(1, "I am upset. I am upset.")]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].evidence, [Uuid::from_u128(2), Uuid::from_u128(1)]);
}

#[test]
fn a_long_sentence_is_cut_and_no_text_is_none() {
    let long = format!("I am upset {}", "é ".repeat(250));
    let found = builtin(&[said(1, &long)]);
    assert_eq!(found[0].text.chars().count(), MAX_INSIGHT);
    let mut none = said(1, "");
    assert!(builtin(&[none.clone()]).is_empty());
    none.text = None;
    assert!(builtin(&[none]).is_empty());
}

#[test]
fn the_summary_is_made_of_figures() {
    assert_eq!(summary(&[], 0), "Nothing was said yet.");
    let mut all = [said(2, "x"), said(1, "y")];
    assert_eq!(summary(&all[..1], 1), "1 contact, the last on 20 November 2026 (email inbound).");
    all[0].sentiment = Some(Sentiment::Negative);
    all[1].sentiment = Some(Sentiment::Positive);
    all[1].day = "2026-10-02".parse().unwrap();
    assert_eq!(
        summary(&all, 12),
        "12 contacts, the last on 20 November 2026 (email inbound). Mood since 2 October 2026: 1 positive, 1 negative."
    );
}
