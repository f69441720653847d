//! WhatsApp over Meta's Cloud API: <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages>.
//!
//! No idempotency key: a repeat is another message. Outside the 24 hours after the customer last wrote, WhatsApp
//! delivers templates only; a message with `payload.template` is one.

use async_trait::async_trait;
use fieldcrm_edge::http::{Client, Post};
use serde_json::{Value, json};

use super::answer::{Repeat, Said, Verdict, exchange};
use super::settings::{Misconfigured, Variables};
use super::{Outcome, Outgoing, Provider};

pub struct WhatsappCloud {
    client: Client,
    base: String,
    token: String,
    phone_number_id: Option<String>,
}

impl WhatsappCloud {
    pub(super) fn read(client: &Client, variables: &Variables<'_>) -> Result<Self, Misconfigured> {
        Ok(Self {
            client: client.clone(),
            base: variables.base_url("WHATSAPP_BASE_URL", "https://graph.facebook.com/v23.0")?,
            token: variables.required("WHATSAPP_ACCESS_TOKEN")?,
            phone_number_id: variables.optional("WHATSAPP_PHONE_NUMBER_ID"),
        })
    }

    fn post(&self, message: &Outgoing) -> Result<Post, Outcome> {
        let sender = message.from.whatsapp_phone_number_id.as_ref();
        let Some(sender) = sender
            .or(self.phone_number_id.as_ref())
            .filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
        else {
            let message =
                "set crm_messaging_settings.whatsapp_phone_number_id, or WHATSAPP_PHONE_NUMBER_ID";
            return Err(Outcome::rejected("sender_not_set", message));
        };
        let mut body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": message.to,
            // Comes back with each status of the message.
            "biz_opaque_callback_data": message.id,
        });
        let template = message.payload.as_ref().map(|payload| &payload["template"]);
        if let Some(template @ Value::Object(_)) = template {
            body["type"] = "template".into();
            body["template"] = template.clone();
        } else {
            body["type"] = "text".into();
            body["text"] = json!({ "preview_url": false, "body": message.body });
        }
        Ok(Post {
            url: format!("{}/{sender}/messages", self.base),
            headers: vec![
                ("authorization", format!("Bearer {}", self.token)),
                ("content-type", "application/json".to_owned()),
            ],
            body: body.to_string(),
        })
    }
}

#[async_trait]
impl Provider for WhatsappCloud {
    fn name(&self) -> &'static str {
        "whatsapp_cloud"
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let post = match self.post(message) {
            Ok(post) => post,
            Err(outcome) => return outcome,
        };
        exchange(
            &self.client,
            post,
            Repeat::Sends,
            |answer| answer.json()["messages"][0]["id"].as_str().map(str::to_owned),
            |answer| {
                let error = &answer.json()["error"];
                Said {
                    code: error["code"].as_u64().map(|code| code.to_string()),
                    message: error["error_data"]["details"]
                        .as_str()
                        .or(error["message"].as_str())
                        .map(str::to_owned),
                }
            },
            // Meta asks to go by the code: the limits of app, account, number and pair, with any status; the token
            // that ran out; maintenance.
            |_, said| match said.code.as_deref() {
                Some(
                    "4" | "190" | "80007" | "130429" | "131056" | "131057" | "133004" | "133016",
                ) => Some(Verdict::Retry),
                _ => None,
            },
        )
        .await
    }
}
