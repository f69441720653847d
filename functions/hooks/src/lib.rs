//! The edge functions through which the world outside writes to us: `whatsapp-webhook`,
//! `sms-handler`, `email-processor` and `webhook-handler`, four slugs on one module.
//!
//! Nobody here is signed in. A request is verified over the body as it came, parsed into the one form
//! of events, and handed to a service RPC, which finds out whose it is. What the database did not take
//! is never answered with success: the provider sends it again, and a repeat changes nothing.

use std::sync::Arc;

use axum::Router;
use fieldcrm_edge::{Config, Database, Origins, Ports, Storage, service};

mod event;
mod files;
pub mod form;
mod mail;
pub mod mailgun;
pub mod mime;
mod payload;
pub mod postmark;
mod receive;
mod reply;
pub mod resend;
mod routes;
pub mod sendgrid;
mod settings;
pub mod twilio;
pub mod whatsapp;

pub use event::{Delivery, Event};
pub use files::MAX_FILES;
pub use payload::{Form, Unreadable};
pub use settings::Settings;

/// What the module is deployed as.
const SLUGS: [&str; 4] = ["whatsapp-webhook", "sms-handler", "email-processor", "webhook-handler"];

/// The largest body that is read, in bytes; of mail, [`MAX_MAIL`].
pub const MAX_BODY: usize = 10 * 1024 * 1024;
/// The largest mail, as its provider sends it: Postmark takes 35 MB with files in base64.
pub const MAX_MAIL: usize = 40 * 1024 * 1024;

/// The functions' router; every host and every test serves this one.
/// What they write, they write as the service; `ports` asks as who calls.
pub fn router(
    ports: Ports,
    as_service: Arc<dyn Database>,
    config: &Config,
    settings: Settings,
    storage: Arc<dyn Storage>,
) -> Router {
    // A form is sent from whatever site it stands on.
    let config = Config { origins: Origins::Any, ..config.clone() };
    let service = Ports { database: as_service, ..ports.clone() };
    let routes = routes::all(&Arc::new(settings), storage).with_state(service);
    service::wrap("hooks", &SLUGS, routes, ports, &config)
}

/// What the `index.ts` of each slug gives to `Deno.serve`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn handle(request: web_sys::Request, env: &js_sys::Object) -> js_sys::Promise {
    use fieldcrm_edge::database::Watched;

    settings::remember(env);
    fieldcrm_edge::host::web::serve(request, env, |ports, config, _| {
        let settings = Settings::remembered();
        // Without the key the database is not asked either, and nothing comes this far.
        let key = settings.service_key().unwrap_or_default().to_owned();
        let storage = Arc::new(fieldcrm_edge::StorageApi::new(config, &key));
        // Where keys are not JWTs, the gateway reads it in `apikey`, and may then take it for who calls: only
        // what the handlers themselves ask goes there with it.
        let as_service = Config { publishable_key: key, ..config.clone() };
        let as_service = Arc::new(Watched::postgrest(&as_service, ports.log.clone()));
        router(ports, as_service, config, settings, storage)
    })
}

/// What `sms-handler` does before it asks the database: how many events it found.
#[cfg(feature = "bench")]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
#[must_use]
pub fn verify_and_parse(token: &str, url: &str, signature: &str, body: &[u8]) -> usize {
    use axum::body::Bytes;
    use fieldcrm_core::signature::twilio::{Payload, verify};

    let read = Form::read("application/x-www-form-urlencoded", &Bytes::copy_from_slice(body));
    let Ok(form) = read else { return 0 };
    if verify(&[token.to_owned()], url, Payload::Form(&form.pairs()), signature).is_err() {
        return 0;
    }
    twilio::form(&form).deliveries.iter().map(|one| one.events.len()).sum()
}
