//! From a question to its answer. What a model says counts sentence by sentence, with what each was shown to be from; where it has
//! nothing to say, or fails, the builtin answer stands in.

use fieldcrm_core::ai::answer::{self, Citation, Source};
use fieldcrm_core::ai::cited::{Answer, MAX_SAID, NOTHING, RECORDS, Reader, Sentence};
use fieldcrm_core::ai::prompt::Boundary;
use fieldcrm_core::ai_usage::Feature;
use fieldcrm_core::kb::MAX_QUERY;
use fieldcrm_core::portal_assistant::{FOUND, NOTHING_FOUND, Said, StoreAnswer};
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::ai::chat::{Delta, Prompt, Turn, Usage};
use fieldcrm_edge::{Caller, Ports, log};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Settings, Told};
use crate::identity::map;
use crate::kb;

/// Pieces of articles that an answer may be from.
const SOURCES: usize = 5;
/// Of a model's answer, with the names of what it is from.
const MAX_TOKENS: u32 = 800;

/// What `portal_ai_context` says.
#[derive(Deserialize)]
struct Context {
    org_id: Uuid,
    question: String,
    answer: Value,
    asks_model: bool,
    history: Vec<Said>,
    visits: Vec<Value>,
    bookings: Vec<Value>,
    invoices: Vec<Value>,
}

impl Context {
    /// What the customer has with us, as a model is told of it.
    fn records(&self) -> Option<String> {
        let Self { visits, bookings, invoices, .. } = self;
        let has_any = !(visits.is_empty() && bookings.is_empty() && invoices.is_empty());
        let records =
            json!({"visits": visits, "booking_requests": bookings, "open_invoices": invoices});
        has_any.then(|| records.to_string())
    }
}

/// A question that is stored.
pub(super) struct Asked {
    pub ports: Ports,
    pub settings: Settings,
    pub caller: Caller,
    pub conversation_id: Uuid,
    pub question: Value,
}

type Tell<'a> = dyn Fn(Told) + Send + Sync + 'a;

impl Asked {
    /// The answer, stored: the one that it has already, or one whose sentences are told as they come.
    pub async fn answer(&self, tell: &Tell<'_>) -> Result<Value> {
        let about = map(json!({"message_id": self.question["id"]}));
        let context = self.ports.database.rpc(&self.caller, "portal_ai_context", about).await?;
        let context: Context =
            serde_json::from_value(context).map_err(|error| Error::internal(error.to_string()))?;
        if !context.answer.is_null() {
            return Ok(context.answer);
        }
        let sources = self.retrieve(&context.question).await?;
        let said = self.said(&context, &sources, tell).await;
        let message_id = self.question["id"].as_str().and_then(|id| id.parse().ok());
        let message_id = message_id.ok_or_else(|| Error::internal("a question without an id"))?;
        let (org_id, conversation_id) = (context.org_id, self.conversation_id);
        let store = StoreAnswer { org_id, conversation_id, message_id, ..said };
        self.settings.identity.rpc(&self.caller, "portal_store_ai_answer", json!(store)).await
    }

    /// The pieces of articles that say most about the question, of those that this customer reads.
    async fn retrieve(&self, question: &str) -> Result<Vec<Source>> {
        let query: String = question.chars().take(MAX_QUERY).collect();
        let arguments = Map::from_iter([
            ("query".to_owned(), query.into()),
            ("page_size".to_owned(), SOURCES.into()),
        ]);
        let search = &self.settings.search;
        let mut found = kb::find(&self.ports, search, &self.caller, arguments).await?;
        serde_json::from_value(found["results"].take())
            .map_err(|error| Error::internal(error.to_string()))
    }

    /// What is said to the question; whose it is, the caller adds.
    async fn said(&self, context: &Context, sources: &[Source], tell: &Tell<'_>) -> StoreAnswer {
        let mut told = 0;
        match self.by_model(context, sources, tell, &mut told).await {
            Ok(Some(said)) => return said,
            Ok(None) => {}
            Err(error) => self.log(&error, None),
        }
        if told > 0 {
            tell(Told::Reset);
        }
        let citations = answer::answer(&context.question, sources);
        let text = |one: &Citation| one.sentence.clone().unwrap_or_default();
        for one in &citations {
            let sentence = Sentence { text: text(one), citations: vec![one.clone()] };
            tell(Told::Sentence(sentence));
        }
        let sentences: Vec<_> = citations.iter().map(text).collect();
        let whole = match &sentences[..] {
            [] => String::new(),
            sentences => format!("{FOUND} {}", sentences.join(" ")),
        };
        said(whole, citations, "builtin")
    }

    /// The model's answer, or none: there is no model, it was asked often enough, or there is nothing to answer from.
    async fn by_model(
        &self,
        context: &Context,
        sources: &[Source],
        tell: &Tell<'_>,
        told: &mut usize,
    ) -> Result<Option<StoreAnswer>> {
        let models = &self.settings.models;
        let records = context.records();
        if !context.asks_model || sources.is_empty() && records.is_none() {
            return Ok(None);
        }
        let prompt = prompt(context, sources, records.as_deref());
        let feature = Feature::Assistant;
        let streamed = models.stream(&self.caller, context.org_id, feature, prompt).await?;
        let (Some(mut deltas), Some((provider, model))) = (streamed, models.name()) else {
            return Ok(None);
        };
        let mut reader = Reader::new(&context.question, sources, records.as_deref());
        let mut usage = Usage::default();
        let mut tell = |sentences: &[Sentence]| {
            *told += sentences.len();
            sentences.iter().cloned().map(Told::Sentence).for_each(tell);
        };
        while !reader.is_full()
            && let Some(delta) = deltas.next().await
        {
            match delta? {
                Delta::Text(text) => tell(reader.push(&text)),
                Delta::Usage(counted) => usage = counted,
            }
        }
        // Of an answer that is long enough, the rest is not waited for.
        drop(deltas);
        tell(reader.finish());
        let said = match reader.answer() {
            Answer::Said(sentences) => {
                let texts: Vec<_> = sentences.iter().map(|one| one.text.as_str()).collect();
                let whole = texts.join(" ");
                let citations = sentences.into_iter().flat_map(|one| one.citations).collect();
                said(whole, citations, provider)
            }
            // A model that has nothing to say says it in our words.
            Answer::Nothing => said(String::new(), Vec::new(), provider),
            Answer::Useless => {
                let hint = "No sentence of the answer is from what the model was shown.";
                return Err(Error::new(Code::AiOutputInvalid, hint));
            }
        };
        let tokens = |count: u64| (count > 0).then(|| i32::try_from(count).unwrap_or(i32::MAX));
        Ok(Some(StoreAnswer {
            model: Some(model.to_owned()),
            input_tokens: tokens(usage.input_tokens),
            output_tokens: tokens(usage.output_tokens),
            ..said
        }))
    }

    /// With the cause, where it is our own fault.
    pub fn log(&self, error: &Error, cause: Option<&String>) {
        let level = if cause.is_some() { "error" } else { "warn" };
        let facts = json!({
            "slug": "portal", "request_id": self.caller.request_id, "code": error.code,
            "cause": cause,
        });
        log::event(self.ports.log.as_ref(), level, "assistant", facts);
    }
}

fn said(content: String, citations: Vec<Citation>, provider: &str) -> StoreAnswer {
    let refused = content.is_empty();
    StoreAnswer {
        org_id: Uuid::nil(),
        conversation_id: Uuid::nil(),
        message_id: Uuid::nil(),
        content: if refused { NOTHING_FOUND.to_owned() } else { content },
        refused,
        citations,
        provider: provider.to_owned(),
        model: None,
        input_tokens: None,
        output_tokens: None,
    }
}

fn prompt(context: &Context, sources: &[Source], records: Option<&str>) -> Prompt {
    let boundary = Boundary::new(Uuid::new_v4());
    let system = format!(
        "You are the assistant in the portal where customers of a service company get help. Answer the customer's question from \
         the help articles and the customer's records that follow, and from nothing else. You cannot book, change or promise \
         anything, and you know no prices but those that are written there. Answer in the language of the question, in short \
         sentences of plain text, without lists, headings or links, in at most 120 words and {MAX_SAID} characters. After each \
         sentence name in brackets what it is from: the slug of the article, or {RECORDS} for the records, like this: \
         Close the valve. [slug-of-article] A sentence without it is thrown away, and so is one with a number in digits that \
         stands neither there nor in the question. If what follows does not answer the question, say the one word {NOTHING}. {}",
        boundary.rules()
    );
    let mut parts: Vec<String> = sources
        .iter()
        .map(|source| {
            let heading = source.heading.as_deref().unwrap_or_default();
            let Source { slug, title, content, .. } = source;
            let text = format!("slug: {slug}\ntitle: {title}\n{heading}\n{content}");
            boundary.block("help article", &text)
        })
        .collect();
    parts.extend(records.map(|records| boundary.block(RECORDS, records)));
    if !context.history.is_empty() {
        let earlier: Vec<_> = context
            .history
            .iter()
            .map(|one| format!("{}: {}", one.role.as_str(), one.content))
            .collect();
        parts.push(boundary.block("conversation so far", &earlier.join("\n")));
    }
    parts.push(boundary.block("question", &context.question));
    Prompt {
        system,
        turns: vec![Turn::user(parts.join("\n\n"))],
        schema: None,
        max_tokens: MAX_TOKENS,
    }
}
