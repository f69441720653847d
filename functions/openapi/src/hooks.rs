//! The slugs of the module `hooks`.

use schemars::JsonSchema;
use serde_json::json;

use crate::choice::{Anything, schemas};
use crate::document::{Info, Operation, SecurityScheme};

pub const INFO: Info = Info {
    name: "hooks",
    slugs: &["whatsapp-webhook", "sms-handler", "email-processor", "webhook-handler"],
    title: "fieldcrm: hooks",
    description: "Where providers and forms write to us. Nobody is signed in: a request is verified over its body as it came, by the \
        provider's own signature. What was not taken is answered with 503 and Retry-After, and comes again.",
    security: &[
        (
            "meta",
            SecurityScheme::Header(
                "X-Hub-Signature-256",
                "HMAC-SHA-256 of the body by the app's secret.",
            ),
        ),
        (
            "twilio",
            SecurityScheme::Header(
                "X-Twilio-Signature",
                "HMAC-SHA-1 of the URL and the form by the account's token.",
            ),
        ),
        (
            "account",
            SecurityScheme::Basic("User and password in the URL that the provider is given."),
        ),
        (
            "sendgrid",
            SecurityScheme::Header(
                "X-Twilio-Email-Event-Webhook-Signature",
                "ECDSA over the timestamp and the body.",
            ),
        ),
        (
            "svix",
            SecurityScheme::Header(
                "svix-signature",
                "Standard Webhooks, under Svix's names or as webhook-signature.",
            ),
        ),
        ("server", SecurityScheme::Bearer("The secret of a mail server of one's own.")),
        (
            "standard",
            SecurityScheme::Header(
                "webhook-signature",
                "Standard Webhooks, where the form has a secret.",
            ),
        ),
        (
            "timestamped",
            SecurityScheme::Header("X-Webhook-Signature", "t=…,v1=…, where the form has a secret."),
        ),
    ],
};

schemas! {
    /// TwiML: nothing to say, or the text for HELP.
    TwiMl = json!({"type": "string"});
    Challenge = json!({"type": "string", "maxLength": 200, "pattern": "^[!-~]*$"});
    MailProvider = json!({"type": "string", "enum": ["postmark", "sendgrid", "mailgun", "resend", "raw"]});
    FormKey = json!({"type": "string", "minLength": 16, "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$"});
    /// As the provider writes it.
    Foreign = json!({"type": ["object", "array"]});
    Fields = json!({"type": "object", "additionalProperties": true});
    RawMail = json!({"type": "string"});
    Subscribe = json!({"const": "subscribe"});
    /// Nothing of what became of it; where the form has a secret, the lead.
    FormAnswer = json!({"anyOf": [
        {"type": "object", "required": ["received"], "additionalProperties": false, "properties": {"received": {"const": true}}},
        {"type": "object", "required": ["outcome"], "additionalProperties": true, "properties": {"outcome": {"type": "string"}}},
    ]});
}

#[derive(JsonSchema)]
pub struct Received {
    /// How many events; a repeat is one of them.
    pub received: i64,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/whatsapp-webhook", "confirmWhatsappWebhook", "Answers Meta's challenge")
            .secured_by(&[])
            .required_query::<Subscribe>("hub.mode", "subscribe")
            .required_query::<String>("hub.verify_token", "The token that we know.")
            .required_query::<Challenge>("hub.challenge", "What is answered.")
            .answers_as::<Challenge>(200, "text/plain", "The challenge.")
            .fails(&[413, 429]),
        Operation::post(
            "/whatsapp-webhook",
            "receiveWhatsapp",
            "Takes messages and statuses of WhatsApp",
        )
        .secured_by(&["meta"])
        .body::<Anything>()
        .ok::<Received>("They are written down.")
        .fails(&[429]),
        Operation::post("/sms-handler", "receiveSms", "Takes messages and statuses of Twilio")
            .secured_by(&["twilio"])
            .body_as::<Fields>("application/x-www-form-urlencoded")
            .body_as::<Foreign>("application/json")
            .answers_as::<TwiMl>(200, "text/xml", "They are written down.")
            .fails(&[429]),
        Operation::post(
            "/email-processor/{provider}",
            "receiveMail",
            "Takes mails, and what became of those that were sent",
        )
        .secured_by(&["account", "sendgrid", "svix", "server"])
        .path_parameter::<MailProvider>("provider", "Who sends it.")
        .query::<String>("address", "Our own address, where the provider does not tell.")
        .body_as::<Foreign>("application/json")
        .body_as::<Fields>("multipart/form-data")
        .body_as::<Fields>("application/x-www-form-urlencoded")
        .body_as::<RawMail>("message/rfc822")
        .ok::<Received>("They are written down.")
        .fails(&[404, 429]),
        Operation::post("/webhook-handler/{form_key}", "submitForm", "Takes a form")
            .about("Signed where the form has a secret, and only then.")
            .secured_by(&["standard", "timestamped"])
            .path_parameter::<FormKey>("form_key", "Which form.")
            .body_as::<Fields>("application/json")
            .body_as::<Fields>("application/x-www-form-urlencoded")
            .body_as::<Fields>("multipart/form-data")
            .ok::<FormAnswer>("It was taken.")
            .empty(
                303,
                "It was taken, and the form sends browsers on.",
                &[("Location", "Where to.")],
            )
            .fails(&[404, 429]),
    ]
}
