//! `/crm/customers/{id}/draft-message`

use axum::extract::State;
use axum::{Extension, Json};
use fieldcrm_core::ai::draft::{
    self, Channel, DraftMessage, ENGLISH, Facts, Message, Offer, Purpose, Text, Wish,
};
use fieldcrm_core::ai::prompt::Boundary;
use fieldcrm_core::ai_usage::Feature;
use fieldcrm_core::{Error, Result, patch, template};
use fieldcrm_edge::ai::chat::{Prompt, Turn};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::{Caller, JsonObject, PathId, Ports, Problem};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::word::{Question, Word};

const MAX_TOKENS: u32 = 2_000;

/// `crm_message_context(customer_id)`
#[derive(Deserialize)]
struct Context {
    org_id: Uuid,
    #[serde(flatten)]
    known: template::Facts,
    facts: Facts,
}

/// `POST /crm/customers/{id}/draft-message`: a template, for a person to read. Nothing is stored, and nothing is sent.
pub async fn draft_message(
    State(ports): State<Ports>,
    Extension(models): Extension<Models>,
    caller: Caller,
    PathId(id): PathId,
    JsonObject(body): JsonObject,
) -> Result<Json<Value>, Problem> {
    let wish = patch::read::<DraftMessage>(Value::Object(body))?.prepare()?;
    let arguments = Map::from_iter([("customer_id".to_owned(), json!(id))]);
    let context = ports.database.rpc(&caller, "crm_message_context", arguments).await?;
    let context: Context = serde_json::from_value(context)
        .map_err(|_| Error::internal("crm_message_context answered something else"))?;
    context.facts.require(wish.purpose)?;
    Ok(Json(write(&ports, &models, &caller, &wish, &context).await?))
}

async fn write(
    ports: &Ports,
    models: &Models,
    caller: &Caller,
    wish: &Wish,
    Context { org_id, known, facts }: &Context,
) -> Result<Value> {
    let theirs = known.customer.get("preferred_language").and_then(Value::as_str);
    let language = wish.language.as_deref().or(theirs).unwrap_or(ENGLISH);
    let word = if models.is_builtin() {
        Word::builtin()
    } else {
        let offer = Offer::new(facts, known, wish.purpose, language);
        let told = told(wish, &offer);
        let check = |text: &Text| draft::problems(text, wish.channel, &offer, &told);
        let prompt = prompt(wish, language, &offer, facts.message.as_ref());
        let question = Question { ports, models, caller, org_id: *org_id, feature: Feature::Draft };
        question
            .ask(prompt, check)
            .await
            .map(|text| json!(draft::finish(&text, wish.channel, &offer)))
    };
    let (said, signature) = word.take();
    let Some(mut answer) = said else {
        let offer = Offer::new(facts, known, wish.purpose, ENGLISH);
        let mut answer = json!(draft::builtin(wish, facts, &offer)?);
        // What only a model can do.
        let foreign = wish.language.as_deref().is_some_and(|tag| !is_english(tag));
        let ignored = [("instructions", wish.instructions.is_some()), ("language", foreign)];
        let ignored: Vec<_> = ignored.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        answer["ignored"] = json!(ignored);
        answer["language"] = ENGLISH.into();
        return Ok(signature.sign(answer));
    };
    answer["language"] = language.into();
    Ok(signature.sign(answer))
}

fn is_english(tag: &str) -> bool {
    tag.split('-').next().is_some_and(|first| first.eq_ignore_ascii_case(ENGLISH))
}

/// What numbers in a text may come from: not what the customer wrote, who may ask for any.
fn told(wish: &Wish, offer: &Offer) -> String {
    let values = offer.variables.values().map(String::as_str);
    values.chain(wish.instructions.as_deref()).collect::<Vec<_>>().join("\n")
}

fn prompt(wish: &Wish, language: &str, offer: &Offer, message: Option<&Message>) -> Prompt {
    let boundary = Boundary::new(Uuid::new_v4());
    let (kind, form) = match wish.channel {
        Channel::Email => (
            "an e-mail",
            "subject: one line of at most 150 characters; body: at most 4,000 characters, paragraphs apart by an empty line",
        ),
        Channel::Sms => ("a text message", "subject: empty; body: at most 480 characters"),
    };
    let purpose = match wish.purpose {
        Purpose::QuoteFollowUp => "ask about a quote that is not decided",
        Purpose::InvoiceReminder => "remind of an invoice that is overdue, politely",
        Purpose::VisitReminder => "remind of a visit to come",
        Purpose::VisitThanks => "thank for a visit that was done, and ask whether all is well",
        Purpose::MembershipRenewal => "offer to renew a membership that ends",
        Purpose::WinBack => "come back to somebody who has not been in touch for long",
        Purpose::Introduction => "introduce the company to somebody new",
        Purpose::Reply => "answer the customer's message",
    };
    let system = format!(
        "You write {kind} from a trades company to one of its customers, which a person of the company reads, corrects and sends. It is \
         to {purpose}. {form}. Language: {language}. Plain text: no HTML, no Markdown, no links, no addresses. The block variables says \
         what there is to speak of: where you want a value, write its name in double braces, such as {{{{org.name}}}}, never the value \
         itself. No other names, and no number, amount or date that is not a variable or in the block wishes. The block wishes, if \
         there is one, is what the person who asks wants said: do so as far as it is about this message. Promise nothing else. {}",
        boundary.rules()
    );
    let variables = json!({"names": offer.own, "values": offer.variables});
    let mut parts = vec![boundary.block("variables", &variables.to_string())];
    if let Some(wishes) = &wish.instructions {
        parts.push(boundary.block("wishes", wishes));
    }
    if let Some(message) = message.filter(|_| wish.purpose == Purpose::Reply) {
        parts.push(boundary.block("message of the customer", &message.text));
    }
    parts.push("Answer with the JSON object that was asked for.".to_owned());
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["subject", "body"],
        "properties": {"subject": {"type": "string"}, "body": {"type": "string"}},
    });
    Prompt {
        system,
        turns: vec![Turn::user(parts.join("\n\n"))],
        schema: Some(("draft", schema)),
        max_tokens: MAX_TOKENS,
    }
}
