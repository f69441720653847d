#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a few thousand"
)]

use serde_json::json;

use super::*;
use crate::patch;

/// `SplitMix64`: the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn yes(&mut self, chance: f64) -> bool {
        self.next() < chance
    }

    fn lead(&mut self, id: usize) -> Lead {
        let sources = [
            None,
            Some("referral"),
            Some("organic"),
            Some("google_ads"),
            Some("facebook_ads"),
            Some("fair"),
        ];
        let count = |roll: f64| (0..12_u32).find(|n| roll * 12.0 < f64::from(n + 1)).unwrap_or(11);
        Lead {
            id: Uuid::from_u128(id as u128),
            source: sources[count(self.next()) as usize % 6].map(str::to_owned),
            has_email: self.yes(0.8),
            has_phone: self.yes(0.6),
            has_full_name: self.yes(0.7),
            has_notes: self.yes(0.4),
            messages_in: count(self.next()) / 2,
            messages_out: count(self.next()) / 2,
            answer_hours: self.yes(0.7).then(|| self.next() * 100.0),
            silent_days: self.next().powi(2) * 90.0,
        }
    }
}

/// The rule that the generated leads follow: the probability that one converts.
fn truth(lead: &Lead) -> f64 {
    let source = match lead.source.as_deref() {
        Some("referral") => 2.0,
        Some("facebook_ads") => -2.0,
        _ => 0.0,
    };
    let phone = if lead.has_phone { 1.5 } else { -0.5 };
    let answered = if lead.answer_hours.is_some_and(|hours| hours < 24.0) { 1.0 } else { 0.0 };
    let logit = source + phone + answered + 2.2 * f64::from(lead.messages_in).ln_1p()
        - 1.6 * lead.silent_days.ln_1p()
        + 0.6;
    1.0 / (1.0 + (-logit).exp())
}

fn generated(seed: u64, count: usize) -> Vec<(Lead, bool)> {
    let mut dice = Dice(seed);
    (0..count)
        .map(|id| {
            let lead = dice.lead(id);
            let won = dice.yes(truth(&lead));
            (lead, won)
        })
        .collect()
}

fn shuffled(mut leads: Vec<(Lead, bool)>, seed: u64) -> Vec<(Lead, bool)> {
    let mut dice = Dice(seed);
    let mut labels: Vec<_> = leads.iter().map(|(_, won)| *won).collect();
    for at in (1..labels.len()).rev() {
        labels.swap(at, (dice.next() * (at + 1) as f64) as usize);
    }
    for ((_, won), label) in leads.iter_mut().zip(labels) {
        *won = label;
    }
    leads
}

/// AUC and accuracy on leads that the model has not seen.
fn measure(chance: impl Fn(&Lead) -> f64, leads: &[(Lead, bool)]) -> (f64, f64) {
    let scores: Vec<_> = leads.iter().map(|(lead, _)| chance(lead)).collect();
    let labels: Vec<_> = leads.iter().map(|(_, won)| *won).collect();
    let right = scores.iter().zip(&labels).filter(|(score, won)| (**score >= 0.5) == **won).count();
    (auc(&scores, &labels).unwrap(), right as f64 / labels.len() as f64)
}

#[test]
fn a_known_rule_under_noise_is_learned() {
    let leads = generated(1, 4000);
    let (train, test) = leads.split_at(2000);
    let model = Model::learn(train);
    assert!(model.is_trained);
    let (found, accuracy) = measure(|lead| model.probability(lead), test);
    let (best, best_accuracy) = measure(truth, test);
    let (start, _) = measure(|lead| Model::builtin().probability(lead), test);
    println!(
        "held out: AUC {found:.4}, accuracy {accuracy:.4}; the rule itself: {best:.4}, {best_accuracy:.4}; \
         the weights of everybody: AUC {start:.4}; by folds: {:.4}",
        model.auc.unwrap()
    );
    assert!(found > 0.88, "AUC {found}");
    assert!(best - found < 0.01, "the rule itself has {best}, the model {found}");
    assert!(accuracy > 0.80, "accuracy {accuracy}");
    assert!((model.auc.unwrap() - found).abs() < 0.03);
    assert!(start > 0.75, "the weights that everybody begins with: {start}");
}

#[test]
fn from_shuffled_outcomes_nothing_is_learned() {
    for seed in 1..=5 {
        let (train, test) = (generated(seed, 2000), generated(seed + 100, 2000));
        let train = shuffled(train, seed);
        let fitted = fit(
            &train.iter().map(|(lead, _)| lead.features()).collect::<Vec<_>>(),
            &train.iter().map(|(_, won)| *won).collect::<Vec<_>>(),
            RIDGE,
        );
        let test = shuffled(test, seed + 50);
        let (found, _) = measure(|lead| fitted.logit(&lead.features()), &test);
        let model = Model::learn(&train);
        println!("shuffled: AUC {found:.4}, by folds {:.4}", model.auc.unwrap());
        assert!((found - 0.5).abs() <= 0.07, "AUC {found}");
        assert!((model.auc.unwrap() - 0.5).abs() <= 0.07);
        // What says nothing gives all leads about the same score.
        let rate = train.iter().filter(|(_, won)| *won).count() as f64 / train.len() as f64;
        for (lead, _) in test.iter().take(200) {
            assert!((model.probability(lead) - rate).abs() < 0.2);
        }
    }
}

#[test]
fn a_score_is_the_share_that_converts() {
    let (train, test) = (generated(2, 2000), generated(3, 10_000));
    let model = Model::learn(&train);
    let mut bins = [(0.0, 0.0, 0.0); 5];
    for (lead, won) in &test {
        let chance = model.probability(lead);
        let bin = &mut bins[((chance * 5.0) as usize).min(4)];
        bin.0 += chance;
        bin.1 += f64::from(u8::from(*won));
        bin.2 += 1.0;
    }
    for (chance, won, count) in bins {
        assert!(count > 200.0);
        assert!((chance - won).abs() / count < 0.06, "{} {}", chance / count, won / count);
    }
}

#[test]
fn fifty_of_each_are_needed() {
    let leads = generated(4, 2000);
    let some = |won: bool, count: usize| {
        leads.iter().filter(move |(_, one)| *one == won).take(count).cloned()
    };
    for (converted, lost, trained) in [(49, 200, false), (200, 49, false), (50, 50, true)] {
        let outcomes: Vec<_> = some(true, converted).chain(some(false, lost)).collect();
        let model = Model::learn(&outcomes);
        assert_eq!((model.converted, model.lost), (converted, lost));
        assert_eq!(model.auc.is_some(), trained, "{converted} {lost}");
        if !trained {
            assert_eq!(model.weights().map(|(_, weight)| weight).collect::<Vec<_>>(), WEIGHTS);
        }
    }
    assert_eq!(Model::learn(&[]), Model::builtin());
}

#[test]
fn the_same_outcomes_in_another_order_are_the_same_model() {
    let leads = generated(5, 400);
    let mut turned = leads.clone();
    turned.reverse();
    assert_eq!(Model::learn(&leads), Model::learn(&turned));
}

#[test]
fn what_separates_completely_stays_finite() {
    let mut leads = generated(6, 300);
    for (lead, won) in &mut leads {
        lead.has_phone = *won;
    }
    let model = Model::learn(&leads);
    assert!(model.is_trained && model.weights().all(|(_, weight)| weight.is_finite()));
    for (lead, won) in &leads {
        let score = model.score(lead).score;
        assert!(score <= 100 && (score > 50) == *won, "{score}");
    }
}

#[test]
fn reasons_are_what_moves_the_odds_most_in_words() {
    let lead = Lead {
        id: Uuid::nil(),
        source: Some("Referral".to_owned()),
        has_email: true,
        has_phone: true,
        has_full_name: true,
        has_notes: true,
        messages_in: 3,
        messages_out: 2,
        answer_hours: Some(0.5),
        silent_days: 0.2,
    };
    let good = Model::builtin().score(&lead);
    let text: Vec<_> = good.reasons.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(
        text,
        ["Came in or wrote today", "Came from Referral", "Wrote 3 messages in the first week"]
    );
    assert!(good.reasons.iter().all(|one| one.effect > 0.0) && good.score > 80, "{good:?}");
    let cold = Lead {
        source: Some("facebook_ads".to_owned()),
        has_phone: false,
        messages_in: 0,
        answer_hours: None,
        silent_days: 60.0,
        ..lead
    };
    let bad = Model::builtin().score(&cold);
    assert_eq!(bad.reasons[0].text, "Was last heard of 60 days ago");
    assert!(bad.reasons.iter().all(|one| one.effect < 0.0) && bad.score < 15, "{bad:?}");
}

#[test]
fn pairs_in_order_make_the_area() {
    let labels = [true, false, true, false];
    assert_eq!(auc(&[0.9, 0.1, 0.8, 0.2], &labels), Some(1.0));
    assert_eq!(auc(&[0.1, 0.9, 0.2, 0.8], &labels), Some(0.0));
    assert_eq!(auc(&[0.5; 4], &labels), Some(0.5));
    assert_eq!(auc(&[0.9, 0.8, 0.7, 0.1], &labels), Some(0.75));
    assert_eq!(auc(&[0.9], &[true]), None);
}

#[test]
fn wrong_arguments_are_named() {
    let read = |input| patch::read::<ScoreLeads>(input).and_then(ScoreLeads::prepare);
    let twice = Uuid::from_u128(1);
    assert_eq!(read(json!({"lead_ids": [twice, twice]})).unwrap().0, Some(vec![twice]));
    assert_eq!(read(json!({})).unwrap(), (None, MAX_LEADS));
    let many: Vec<_> = (0..1001).map(Uuid::from_u128).collect();
    let error = read(json!({"lead_ids": many, "page_size": 0})).unwrap_err();
    let paths: Vec<_> = error.errors.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["page_size", "lead_ids"]);
}
