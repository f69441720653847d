//! Answers of models as they come, from servers that speak like their providers.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod fake_model;

use std::time::Duration;

use fake_model::{
    ALL, Does, End, FakeModel, LIMITS, Says, Step, Wire, code, gives_up, in_chunks, prompt, says,
    word,
};
use fieldcrm_edge::ai::chat::{Delta, Deltas, Failed, Limits, MAX_ANSWER, Usage};
use futures_util::StreamExt;
use serde_json::json;
use tokio::time::timeout;

const TEXT: &str = "Zoë's boiler 🔧 is naïve.";
const USAGE: Usage = Usage { input_tokens: 12, output_tokens: 7 };

fn speech(end: End) -> Says {
    Says { text: TEXT, json: None, end }
}

/// The text, the pieces it came in, what it cost, and how it ended.
async fn heard(deltas: Deltas) -> (String, usize, Usage, Option<Failed>) {
    timeout(Duration::from_secs(20), to_the_end(deltas)).await.unwrap()
}

async fn to_the_end(mut deltas: Deltas) -> (String, usize, Usage, Option<Failed>) {
    let (mut text, mut pieces, mut cost) = (String::new(), 0, Usage::default());
    while let Some(delta) = deltas.next().await {
        match delta {
            Ok(Delta::Text(piece)) => {
                text += &piece;
                pieces += 1;
            }
            Ok(Delta::Usage(usage)) => cost = usage,
            Err(failed) => {
                assert!(deltas.next().await.is_none(), "an error is the last thing");
                return (text, pieces, cost, Some(failed));
            }
        }
    }
    (text, pieces, cost, None)
}

#[tokio::test]
async fn a_text_comes_in_pieces_with_what_it_cost() {
    for wire in ALL {
        let server = FakeModel::start(wire, vec![says(TEXT)]).await;
        let deltas = server.chat(LIMITS).stream(&prompt()).await.unwrap();
        assert_eq!(heard(deltas).await, (TEXT.to_owned(), 5, USAGE, None), "{wire:?}");
    }
}

#[tokio::test]
async fn letters_and_events_may_be_cut_anywhere() {
    for wire in ALL {
        for size in [1, 2, 3, 7, 64] {
            let steps = in_chunks(wire, &speech(End::Said), size);
            let server = FakeModel::start(wire, vec![Does::Flows(steps)]).await;
            let deltas = server.chat(LIMITS).stream(&prompt()).await.unwrap();
            assert_eq!(heard(deltas).await, (TEXT.to_owned(), 5, USAGE, None), "{wire:?} {size}");
        }
    }
}

#[tokio::test]
async fn how_a_streamed_answer_ends_is_said_after_it() {
    for wire in ALL {
        for (end, expected) in [(End::CutOff, "ai_output_invalid"), (End::Refused, "ai_refused")] {
            let server = FakeModel::start(wire, vec![Does::Says(speech(end))]).await;
            let deltas = server.chat(LIMITS).stream(&prompt()).await.unwrap();
            let (text, _, _, failed) = heard(deltas).await;
            let failed = failed.unwrap();
            assert_eq!((text.as_str(), code(&failed), failed.usage), (TEXT, expected, USAGE));
        }
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    for wire in ALL {
        let whole = in_chunks(wire, &speech(End::Said), 7);
        let half = &whole[..whole.len() / 2];
        let noise = [vec![0xff; 64], b"\n\n".to_vec()].concat();
        let ends: [(&[Step], &str); 4] = [
            (&[], "the stream just ends"),
            (&[Step::BreaksOff], "the connection breaks"),
            (&[Step::Sends(noise.into())], "no event"),
            (&[Step::FallsSilent], "silence"),
        ];
        for (end, what) in ends {
            let server = FakeModel::start(wire, vec![Does::Flows([half, end].concat())]).await;
            let limits = Limits { idle: Duration::from_millis(200), ..LIMITS };
            let deltas = server.chat(limits).stream(&prompt()).await.unwrap();
            let failed = heard(deltas).await.3.unwrap();
            assert_eq!(code(&failed), "ai_unavailable", "{wire:?}: {what}");
        }
    }
}

#[tokio::test]
async fn a_provider_that_gives_up_is_believed() {
    for wire in ALL {
        let steps = [word(wire, "Zoë's "), gives_up(wire)].map(|bytes| Step::Sends(bytes.into()));
        let server = FakeModel::start(wire, vec![Does::Flows(steps.to_vec())]).await;
        let deltas = server.chat(LIMITS).stream(&prompt()).await.unwrap();
        let (text, _, _, failed) = heard(deltas).await;
        assert_eq!(
            (text.as_str(), code(&failed.unwrap())),
            ("Zoë's ", "ai_unavailable"),
            "{wire:?}"
        );
    }
}

#[tokio::test]
async fn a_stream_has_its_time_however_long_it_may_fall_silent() {
    for wire in ALL {
        let server = FakeModel::start(wire, vec![Does::Flows(vec![Step::FallsSilent])]).await;
        let limits = Limits { stream: Duration::from_millis(200), ..LIMITS };
        let deltas = server.chat(limits).stream(&prompt()).await.unwrap();
        assert_eq!(code(&heard(deltas).await.3.unwrap()), "ai_unavailable", "{wire:?}");
    }
}

#[tokio::test]
async fn a_stream_beyond_measure_is_ended() {
    for wire in ALL {
        let words = word(wire, &"a".repeat(10_000));
        let mut endless = vec![words];
        if wire != Wire::Bedrock {
            endless.push(b": a sign of life, and nothing else\n\n".to_vec());
            endless.push(vec![b'a'; 10_000]);
        }
        for bytes in endless {
            let server =
                FakeModel::start(wire, vec![Does::Flows(vec![Step::Repeats(bytes.into())])]).await;
            let deltas = server.chat(LIMITS).stream(&prompt()).await.unwrap();
            let (text, _, _, failed) = heard(deltas).await;
            assert_eq!(code(&failed.unwrap()), "ai_output_invalid", "{wire:?}");
            assert!(text.len() <= MAX_ANSWER);
            server.left().await;
        }
    }
}

#[tokio::test]
async fn before_the_first_word_a_stream_is_asked_for_again() {
    for wire in ALL {
        let busy = Does::Answers(503, Some("0"), json!({}));
        let server = FakeModel::start(wire, vec![busy, says(TEXT)]).await;
        let deltas = server.chat(LIMITS).stream(&prompt()).await.unwrap();
        assert_eq!(heard(deltas).await.0, TEXT);
        assert_eq!(server.arrived().len(), 2);
    }
}

#[tokio::test]
async fn a_stream_that_does_not_begin_is_an_error_at_once() {
    for wire in ALL {
        for does in [Does::Waits, Does::Answers(403, None, json!({"message": "secret"}))] {
            let server = FakeModel::start(wire, vec![does]).await;
            let limits = Limits { timeout: Duration::from_millis(300), ..LIMITS };
            let failed = server.chat(limits).stream(&prompt()).await.err().unwrap();
            assert_eq!(code(&failed), "ai_unavailable");
        }
    }
}

#[tokio::test]
async fn who_stops_listening_ends_the_exchange() {
    for wire in ALL {
        let mut steps = in_chunks(wire, &speech(End::Said), 1 << 16);
        let Step::Sends(all) = steps.remove(0) else { panic!("bytes") };
        // Long enough for the first word, too short for the end.
        let steps = vec![Step::Sends(all.slice(..all.len() * 3 / 4)), Step::FallsSilent];
        let server = FakeModel::start(wire, vec![Does::Flows(steps)]).await;
        let mut deltas = server.chat(LIMITS).stream(&prompt()).await.unwrap();
        loop {
            if let Delta::Text(text) = deltas.next().await.unwrap().unwrap() {
                assert_eq!(text, "Zoë's ");
                break;
            }
        }
        drop(deltas);
        server.left().await;
    }
}
