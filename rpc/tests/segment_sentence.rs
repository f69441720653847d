//! Sentences on a database: the names of the org, what each runs as, and what a model is told.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

#[path = "../../core/tests/phrase/written.rs"]
#[allow(dead_code, reason = "the tests of core use the rest")]
mod written;

use common::{As, Context};
use fieldcrm_core::ai::phrase::{Vocabulary, understand};
use serde_json::{Value, json};

const CSR: As = As::Northwind("csr");

scenarios! {
    every_sentence_runs
    the_names_of_the_org_are_understood_and_no_other
    a_model_is_told_figures_and_nobody
}

async fn every_sentence_runs(context: &mut Context) {
    for (sentence, _) in written::FILES.iter().flat_map(|file| written::read(file)) {
        let Ok(said) = understand(&sentence, written::today(), &written::sample()) else {
            continue;
        };
        let mut definition = said.definition;
        // Segments of the sample that this org does not have.
        if definition.to_string().contains("\"segment\"") {
            continue;
        }
        let arguments = json!({"definition": definition.take()});
        let preview = context.call(CSR, "crm_segment_preview", arguments).await;
        let preview = preview.unwrap_or_else(|error| panic!("{sentence}: {error}"));
        assert_eq!(preview["sentence"], said.explanation, "{sentence}");
    }
}

async fn vocabulary(context: &mut Context, caller: As) -> Value {
    context.call(caller, "crm_segment_vocabulary", json!({})).await.unwrap()
}

async fn the_names_of_the_org_are_understood_and_no_other(context: &mut Context) {
    let own = vocabulary(context, CSR).await;
    let today = own["today"].as_str().unwrap().parse().unwrap();
    let names: Vocabulary = serde_json::from_value(own).unwrap();
    let sentence = "my VIP customers in Naperville";
    let said = understand(sentence, today, &names).unwrap();
    assert!(said.explanation.contains("city is \"Naperville\""), "{}", said.explanation);
    let refused = understand("customers in Croydon", today, &names).unwrap_err();
    assert_eq!(refused[0].text, "Croydon");
    let theirs: Vocabulary =
        serde_json::from_value(vocabulary(context, As::Volt("csr")).await).unwrap();
    assert!(understand("customers in Croydon", today, &theirs).is_ok());
    assert!(understand("customers in Naperville", today, &theirs).is_err());
    assert!(
        understand("customers who spent over $500", today, &theirs).is_err()
            == (theirs.currency.as_deref() != Some("USD"))
    );
    assert!(
        !theirs.people.is_empty()
            && theirs
                .people
                .iter()
                .all(|person| names.people.iter().all(|own| own.id != person.id))
    );
}

async fn a_model_is_told_figures_and_nobody(context: &mut Context) {
    let secret = json!({"type": "individual", "name": "Zebulon Quirke", "email": "zebulon@quirke.example", "source": "only-his",
        "locations": [{"city": "Lonelyville", "address_line1": "1 Road"}]});
    let before = context.call(CSR, "crm_segment_aggregates", json!({})).await.unwrap();
    context.call(CSR, "crm_create_customer", secret).await.unwrap();
    let told = context.call(CSR, "crm_segment_aggregates", json!({})).await.unwrap();
    assert_eq!(told["customers"].as_i64(), before["customers"].as_i64().map(|count| count + 1));
    for word in ["Zebulon", "quirke", "only-his", "Lonelyville", "Croydon"] {
        assert!(!told.to_string().contains(word), "{word}");
    }
    let statuses = told["by"]["status"].as_array().unwrap();
    let counted: i64 = statuses.iter().map(|one| one["customers"].as_i64().unwrap()).sum();
    assert_eq!(Some(counted), told["customers"].as_i64());
    assert!(statuses[0]["averages"]["total_spend"].is_number(), "{told}");
    for group in
        told["by"].as_object().unwrap().values().flat_map(|groups| groups.as_array().unwrap())
    {
        assert!(group["customers"].as_i64() >= Some(5) || group["averages"].is_null(), "{group}");
    }
    assert!(told["by"]["city"].as_array().unwrap().iter().any(|one| one["value"] == "Naperville"));
}
