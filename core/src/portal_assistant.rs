//! Conversations of customers with the portal's assistant.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ai::answer::Citation;
use crate::ai::cited::MAX_CITATIONS;
use crate::cursor::Page;
use crate::customer::{Checks, choices};
use crate::{Code, Error, Result};

choices! {
    /// What the customer wants to talk about.
    Topic {
        GeneralSupport = "general_support", PreBooking = "pre_booking", ActiveJob = "active_job",
        BillingQuestion = "billing_question",
    }
}
choices! {
    ConversationStatus { Active = "active", Ended = "ended", Escalated = "escalated", }
}
choices! {
    /// Who said something.
    Role { User = "user", Assistant = "assistant", System = "system", }
}

/// What a customer may write at once, in characters.
pub const MAX_QUESTION: usize = 2_000;
/// What the assistant may answer at once, in characters.
pub const MAX_ANSWER: usize = 8_000;
/// Questions in one conversation.
pub const MAX_QUESTIONS: i64 = 50;
/// Questions of an account in an hour, and conversations that it begins.
pub const MAX_QUESTIONS_PER_HOUR: i64 = 60;
/// Questions of an account in 24 hours.
pub const MAX_QUESTIONS_PER_DAY: i64 = 150;
/// How often a question may be put to a model: who leaves before the answer and asks again pays for no more.
pub const MAX_TRIES: i64 = 3;
pub const MAX_STARTS_PER_HOUR: i64 = 20;
/// Of what is handed over, in characters.
const MAX_SUBJECT: usize = 120;
const MAX_EXCERPT: usize = 400;
const MAX_HANDED_OVER: usize = 12;

/// The first message of each conversation.
pub const DISCLAIMER: &str = "You are talking to an automated assistant. It answers from the help articles, names them, and may be \
    wrong. Staff can read this conversation. In an emergency, such as a smell of gas, leave the building and call the emergency \
    services. You can hand the conversation over to our staff at any time.";
/// What the builtin answer begins with: what follows is quoted, and not made for the question.
pub const FOUND: &str = "I found this in the help articles:";
/// What is said where nothing was found.
pub const NOTHING_FOUND: &str = "I found nothing about this in the help articles. You can hand this conversation over to our staff, \
    who will answer you as a message.";

/// The arguments of `portal_start_ai_conversation`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewConversation {
    pub context_type: Option<Topic>,
    pub related_work_order_id: Option<Uuid>,
}

/// The arguments of `portal_list_ai_conversations`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConversationsQuery {
    pub status: Option<ConversationStatus>,
    pub page_size: Option<i64>,
    pub cursor: Option<String>,
}

impl ConversationsQuery {
    pub fn page(&self) -> Result<Page> {
        let mut checks = Checks::default();
        let page = Page::read(&mut checks, self.page_size, self.cursor.as_deref());
        checks.finish()?;
        Ok(page)
    }
}

/// The arguments of what is asked about a conversation as a whole.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneConversation {
    pub conversation_id: Uuid,
}

/// The arguments of `portal_ai_context`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneQuestion {
    pub message_id: Uuid,
}

/// The arguments of `portal_add_ai_message`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewQuestion {
    pub conversation_id: Uuid,
    pub content: Option<String>,
}

impl NewQuestion {
    /// The text, trimmed.
    pub fn prepare(self) -> Result<String> {
        let mut checks = Checks::default();
        let content = checks.text("content", self.content, MAX_QUESTION).unwrap_or_else(|| {
            checks.fail("content", "required", "must not be empty");
            String::new()
        });
        checks.finish()?;
        Ok(content)
    }
}

/// The arguments of `portal_store_ai_answer`: what the assistant said to a question, and what it cost.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreAnswer {
    pub org_id: Uuid,
    pub conversation_id: Uuid,
    pub message_id: Uuid,
    pub content: String,
    pub refused: bool,
    pub citations: Vec<Citation>,
    pub provider: String,
    pub model: Option<String>,
    pub input_tokens: Option<i32>,
    pub output_tokens: Option<i32>,
}

impl StoreAnswer {
    pub fn prepare(mut self) -> Result<Self> {
        let mut checks = Checks::default();
        // A control character is nothing to read; Postgres has no NUL.
        self.content.retain(|letter| letter == '\n' || letter == '\t' || !letter.is_control());
        let content = checks.text("content", Some(std::mem::take(&mut self.content)), MAX_ANSWER);
        self.content = content.unwrap_or_else(|| {
            checks.fail("content", "required", "must not be empty");
            String::new()
        });
        if self.citations.len() > MAX_CITATIONS {
            checks.fail("citations", "too_many", format!("at most {MAX_CITATIONS}"));
        }
        let most = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
        if !most(&self.provider, 60) {
            checks.fail("provider", "invalid_value", "must be 1 to 60 characters");
        }
        if self.model.as_ref().is_some_and(|model| !most(model, 200)) {
            checks.fail("model", "invalid_value", "must be 1 to 200 characters");
        }
        for (path, tokens) in
            [("input_tokens", self.input_tokens), ("output_tokens", self.output_tokens)]
        {
            if tokens.is_some_and(|tokens| tokens < 0) {
                checks.fail(path, "out_of_range", "must not be negative");
            }
        }
        checks.finish()?;
        Ok(self)
    }
}

/// How much was said already.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Counts {
    #[serde(default)]
    pub in_conversation: i64,
    pub within_hour: i64,
    #[serde(default)]
    pub within_day: i64,
}

impl Counts {
    pub fn may_ask(self) -> Result<()> {
        refuse_over(self.in_conversation, MAX_QUESTIONS, "questions_per_conversation")?;
        refuse_over(self.within_hour, MAX_QUESTIONS_PER_HOUR, "questions_per_hour")?;
        refuse_over(self.within_day, MAX_QUESTIONS_PER_DAY, "questions_per_day")
    }

    pub fn may_start(self) -> Result<()> {
        refuse_over(self.within_hour, MAX_STARTS_PER_HOUR, "conversations_per_hour")
    }
}

fn refuse_over(count: i64, most: i64, what: &str) -> Result<()> {
    if count < most {
        return Ok(());
    }
    let hint = "Hand the conversation over to staff, or go on later.";
    Err(Error::new(Code::RuleBroken, hint).with("reason", what).with("most", most))
}

/// A word of a conversation.
#[derive(Clone, Debug, Deserialize)]
pub struct Said {
    pub role: Role,
    pub content: String,
}

/// What staff get of a conversation that is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    pub subject: String,
    pub body: String,
}

/// The subject is the last question, the body what was said, each cut; of a long conversation its end.
#[must_use]
pub fn hand_over(said: &[Said]) -> HandOver {
    let spoken: Vec<_> = said.iter().filter(|one| one.role != Role::System).collect();
    let question = spoken.iter().rev().find(|one| one.role == Role::User);
    let subject = question
        .map(|one| cut(&one.content.split_whitespace().collect::<Vec<_>>().join(" "), MAX_SUBJECT));
    let mut lines = vec!["Handed over from a conversation with the assistant.".to_owned()];
    let left_out = spoken.len().saturating_sub(MAX_HANDED_OVER);
    if left_out > 0 {
        lines.push(format!("({left_out} earlier messages are left out.)"));
    }
    for one in &spoken[left_out..] {
        let who = if one.role == Role::User { "Customer" } else { "Assistant" };
        lines.push(format!("{who}: {}", cut(&one.content, MAX_EXCERPT)));
    }
    HandOver {
        subject: subject
            .filter(|subject| !subject.is_empty())
            .unwrap_or_else(|| "A question for you".to_owned()),
        body: lines.join("\n\n"),
    }
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut text: String = text.chars().take(most - 1).collect();
    text.push('…');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::patch;

    fn said(role: Role, content: &str) -> Said {
        Said { role, content: content.to_owned() }
    }

    #[test]
    fn what_is_handed_over_is_the_question_and_the_end_of_what_was_said() {
        let mut all = vec![said(Role::System, DISCLAIMER)];
        assert_eq!(hand_over(&all).subject, "A question for you");
        all.push(said(Role::User, "My  boiler\nleaks"));
        all.push(said(Role::Assistant, NOTHING_FOUND));
        let handed = hand_over(&all);
        assert_eq!(handed.subject, "My boiler leaks");
        assert!(
            handed.body.contains("Customer: My  boiler\nleaks")
                && !handed.body.contains("automated")
        );
        for _ in 0..100 {
            all.push(said(Role::User, &"x".repeat(MAX_QUESTION)));
            all.push(said(Role::Assistant, &"é".repeat(MAX_ANSWER)));
        }
        let handed = hand_over(&all);
        // What a thread takes.
        assert!(handed.subject.chars().count() <= 200 && handed.body.chars().count() <= 10_000);
        assert!(handed.body.contains("(190 earlier messages are left out.)"), "{}", handed.body);
    }

    #[test]
    fn a_question_has_text_and_an_end() {
        for content in
            [json!(null), json!(" "), json!("x".repeat(MAX_QUESTION + 1)), json!("a\u{0}")]
        {
            let given = json!({"conversation_id": Uuid::nil(), "content": content});
            let error = patch::read::<NewQuestion>(given).unwrap().prepare().unwrap_err();
            assert_eq!(error.errors[0].path, "content");
        }
    }

    #[test]
    fn an_answer_is_stored_without_what_nobody_reads() {
        let mut given = json!({"org_id": Uuid::nil(), "conversation_id": Uuid::nil(), "message_id": Uuid::nil(),
            "content": "a\u{0}\u{1b}b\n", "refused": false, "citations": [], "provider": "builtin"});
        let read = |given: &serde_json::Value| patch::read::<StoreAnswer>(given.clone())?.prepare();
        assert_eq!(read(&given).unwrap().content, "ab");
        given["content"] = json!("\u{0}");
        given["provider"] = json!("");
        given["input_tokens"] = json!(-1);
        let error = read(&given).unwrap_err();
        let paths: Vec<_> = error.errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(paths, ["content", "provider", "input_tokens"]);
        given["citations"] = json!([{"slug": "a", "title": "A", "chunk_index": 0, "url": "x"}]);
        assert!(read(&given).is_err());
    }

    #[test]
    fn there_is_an_end_to_questions() {
        for (in_conversation, within_hour, within_day, fine) in [
            (0, 0, 0, true),
            (MAX_QUESTIONS, 0, 0, false),
            (0, MAX_QUESTIONS_PER_HOUR, 0, false),
            (0, 0, MAX_QUESTIONS_PER_DAY, false),
            (49, 59, 149, true),
        ] {
            let counts = Counts { in_conversation, within_hour, within_day };
            assert_eq!(counts.may_ask().is_ok(), fine);
        }
    }
}
