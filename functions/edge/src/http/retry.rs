//! Asking again whoever had no time, or failed.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use web_time::Instant;

use super::{Answer, Client, Method, NoAnswer, Opened, Post, left};
use crate::clock::{sleep, within};

/// How often a request is sent.
const TRIES: u32 = 3;
/// Before the second; each pause after it is twice as long.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest wait that a server can ask for: a day.
const LONGEST_WAIT: u64 = 86_400;

impl Client {
    /// Opens an exchange of what may be sent again. What a server asks for by `Retry-After` is waited for; where that
    /// is longer than until `until`, its refusal is the answer at once.
    pub async fn open_patiently(
        &self,
        post: Post<Bytes>,
        until: Instant,
    ) -> Result<Opened, NoAnswer> {
        let mut tries = 1;
        let mut dropped = false;
        loop {
            let opened = within(left(until), self.open(Method::Post, post.clone())).await;
            let opened = match opened.unwrap_or(Err(NoAnswer::TimedOut)) {
                // What was sent before may have arrived.
                Err(NoAnswer::Unsent) if dropped => Err(NoAnswer::Dropped),
                opened => opened,
            };
            dropped |= matches!(opened, Err(NoAnswer::Dropped));
            let asked = match &opened {
                Ok(opened) if is_passing(opened.head.status) => {
                    retry_after(&opened.head, Utc::now()).map(Duration::from_secs)
                }
                Err(NoAnswer::Unsent | NoAnswer::Dropped) => None,
                _ => return opened,
            };
            let pause = asked.unwrap_or_else(|| pause(tries));
            if tries == TRIES || pause >= left(until) {
                return opened;
            }
            drop(opened);
            sleep(pause).await;
            tries += 1;
        }
    }
}

/// 529 is how some say that they are overloaded.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502..=504 | 529)
}

/// Longer each time, and not the same for all that were refused together.
fn pause(tries: u32) -> Duration {
    let pause = PAUSE * 2_u32.pow(tries - 1);
    let spread = u32::from(Uuid::new_v4().as_bytes()[0]);
    pause + pause * spread / 512
}

/// In seconds: RFC 9110 has a number of them or a date; SendGrid has its own header, with the time in seconds since 1970.
#[must_use]
pub fn retry_after(answer: &Answer, now: DateTime<Utc>) -> Option<u64> {
    let since_1970 = u64::try_from(now.timestamp()).ok()?;
    let asked: Option<u64> = if let Some(value) = answer.header("retry-after").map(str::trim) {
        value.parse().ok().or_else(|| {
            let date = httpdate::parse_http_date(value).ok()?;
            let from = SystemTime::UNIX_EPOCH + Duration::from_secs(since_1970);
            Some(date.duration_since(from).unwrap_or_default().as_secs())
        })
    } else {
        let reset: u64 = answer.header("x-ratelimit-reset")?.trim().parse().ok()?;
        // Some give the seconds left under the same name.
        Some(if reset > LONGEST_WAIT { reset.saturating_sub(since_1970) } else { reset })
    };
    asked.map(|seconds| seconds.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: &'static str, value: &str) -> Answer {
        Answer::from_parts(429, [(name, value)], "")
    }

    #[test]
    fn a_wait_is_in_seconds_or_until_a_date() {
        let now = DateTime::from_timestamp(784_111_700, 0).unwrap();
        for (name, value, expected) in [
            ("retry-after", "120", Some(120)),
            ("retry-after", " 7 ", Some(7)),
            ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT", Some(77)),
            ("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("retry-after", "99999999", Some(LONGEST_WAIT)),
            ("retry-after", "-1", None),
            ("retry-after", "soon", None),
            ("x-ratelimit-reset", "784111730", Some(30)),
            ("x-ratelimit-reset", "30", Some(30)),
            ("x-other", "30", None),
        ] {
            assert_eq!(retry_after(&answer(name, value), now), expected, "{name}: {value}");
        }
    }
}
