//! What follows from a provider's answer, or from none.

use chrono::Utc;
use fieldcrm_edge::http::{Answer, Client, NoAnswer, Post, retry_after};

use super::Outcome;

const MAX_MESSAGE: usize = 500;

/// What a provider does with a message that it gets a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Knows it by its id: nobody gets it twice.
    Known,
    /// Takes it for another.
    Sends,
}

/// What the provider says it refuses for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub code: Option<String>,
    pub message: Option<String>,
}

/// Sends, and judges what came back: `accepted` reads the provider's id of the message, `refused` what it says
/// instead, and `special` what it means by that where the status does not tell.
pub(super) async fn exchange(
    client: &Client,
    post: Post,
    repeat: Repeat,
    accepted: impl Fn(&Answer) -> Option<String> + Send,
    refused: impl Fn(&Answer) -> Said + Send,
    special: impl Fn(&Answer, &Said) -> Option<Verdict> + Send,
) -> Outcome {
    let answer = match client.post(post).await {
        Ok(answer) => answer,
        Err(reason) => return unanswered(reason, repeat),
    };
    if (200..=299).contains(&answer.status) {
        let id = accepted(&answer).filter(|id| !id.is_empty() && id.len() <= 500);
        return Outcome::Sent { provider_message_id: id, http_status: Some(answer.status) };
    }
    let said = refused(&answer);
    let verdict = special(&answer, &said).unwrap_or_else(|| verdict(answer.status, repeat));
    conclude(verdict, &answer, said)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Retry,
    Rejected,
    Unknown,
}

/// By the status alone. 401 is about our key, 429 and 503 say that the request was not taken; of the other 5xx, and
/// of 408 from whoever stands in between, nobody knows how far the request came.
pub(super) fn verdict(status: u16, repeat: Repeat) -> Verdict {
    match (status, repeat) {
        (401 | 425 | 429 | 503, _) | (408 | 500.., Repeat::Known) => Verdict::Retry,
        (408 | 500.., Repeat::Sends) => Verdict::Unknown,
        // Redirects too: what we send goes where it was meant to go or nowhere.
        _ => Verdict::Rejected,
    }
}

fn unanswered(reason: NoAnswer, repeat: Repeat) -> Outcome {
    let (code, message) = match reason {
        NoAnswer::Unsent => ("unreachable", "no connection to the provider"),
        NoAnswer::TimedOut => ("timeout", "no answer in time"),
        NoAnswer::Dropped => ("connection_lost", "the connection ended without an answer"),
    };
    let (code, message) = (code.to_owned(), message.to_owned());
    if reason == NoAnswer::Unsent || repeat == Repeat::Known {
        Outcome::Retry { code, message, retry_after: None, http_status: None }
    } else {
        Outcome::Unknown { code, message }
    }
}

fn conclude(verdict: Verdict, answer: &Answer, said: Said) -> Outcome {
    let code = said
        .code
        .map(|code| clean(&code, 100))
        .filter(|code| !code.is_empty())
        .unwrap_or_else(|| format!("http_{}", answer.status));
    let message = said
        .message
        .map(|message| clean(&message, MAX_MESSAGE))
        .filter(|message| !message.is_empty())
        .unwrap_or_else(|| format!("the provider answered {}", answer.status));
    let http_status = Some(answer.status);
    match verdict {
        Verdict::Retry => {
            let retry_after = retry_after(answer, Utc::now());
            Outcome::Retry { code, message, retry_after, http_status }
        }
        Verdict::Rejected => Outcome::Rejected { code, message, http_status },
        Verdict::Unknown => Outcome::Unknown { code, message },
    }
}

fn clean(text: &str, longest: usize) -> String {
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    text.trim().chars().map(plain).take(longest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: &'static str, value: &str) -> Answer {
        Answer::from_parts(429, [(name, value)], "")
    }

    #[test]
    fn what_was_not_taken_is_tried_again_and_what_is_in_doubt_only_where_it_is_known() {
        for status in [401, 425, 429, 503] {
            for repeat in [Repeat::Known, Repeat::Sends] {
                assert_eq!(verdict(status, repeat), Verdict::Retry, "{status}");
            }
        }
        for status in [408, 500, 502, 504, 520, 599] {
            assert_eq!(verdict(status, Repeat::Known), Verdict::Retry, "{status}");
            assert_eq!(verdict(status, Repeat::Sends), Verdict::Unknown, "{status}");
        }
        for status in [301, 307, 400, 403, 404, 409, 413, 422] {
            assert_eq!(verdict(status, Repeat::Known), Verdict::Rejected, "{status}");
        }
    }

    #[test]
    fn a_request_that_never_left_is_tried_again_at_every_provider() {
        for repeat in [Repeat::Known, Repeat::Sends] {
            assert!(matches!(unanswered(NoAnswer::Unsent, repeat), Outcome::Retry { .. }));
        }
        for reason in [NoAnswer::TimedOut, NoAnswer::Dropped] {
            assert!(matches!(unanswered(reason, Repeat::Known), Outcome::Retry { .. }));
            assert!(matches!(unanswered(reason, Repeat::Sends), Outcome::Unknown { .. }));
        }
    }

    #[test]
    fn what_a_provider_says_is_cut_and_has_no_line_ends() {
        let said = Said { code: Some("\n".to_owned()), message: Some("a\nb".repeat(1000)) };
        let Outcome::Rejected { code, message, .. } =
            conclude(Verdict::Rejected, &answer("x", "y"), said)
        else {
            panic!("rejected")
        };
        assert_eq!((code.as_str(), message.chars().count()), ("http_429", MAX_MESSAGE));
        assert!(message.starts_with("a ba b"));
    }
}
