//! Channels and endpoints, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::agency::Agency;
use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use serde_json::json;

const FORM: &str = "form_0123456789abcdef";

scenarios! {
    channels_are_made_by_managers_and_belong_to_one
    endpoints_are_public_https_urls
}

async fn channels_are_made_by_managers_and_belong_to_one(context: &mut Context) {
    let agency = Agency::make(context, NORTHWIND, &[]).await;
    let manager = As::Northwind("manager");
    let input = json!({"channel": "form", "address": FORM, "project_id": agency.project_id, "secret_name": "ACME_FORM"});
    context
        .refused(As::Northwind("sales"), "crm_create_channel", input.clone(), Code::Forbidden)
        .await;
    let made = context.call(manager, "crm_create_channel", input.clone()).await.unwrap();
    assert_eq!((&made["client_id"], &made["is_enabled"]), (&json!(agency.client_id), &json!(true)));
    context.refused(manager, "crm_create_channel", input, Code::Conflict).await;
    let foreign =
        json!({"channel": "sms", "address": "+15005550009", "project_id": agency.project_id});
    let error = context
        .refused(As::Volt("owner"), "crm_create_channel", foreign, Code::InvalidArgument)
        .await;
    assert_eq!(error.errors[0].path, "project_id");
    let patch =
        json!({"id": made["id"], "patch": {"is_enabled": false, "settings": {"honeypot": "x"}}});
    let changed = context.call(manager, "crm_update_channel", patch.clone()).await.unwrap();
    assert_eq!(
        (&changed["is_enabled"], &changed["settings"]),
        (&json!(false), &json!({"honeypot": "x"}))
    );
    assert_eq!(changed["project_id"], json!(agency.project_id));
    context.refused(As::Volt("owner"), "crm_update_channel", patch, Code::NotFound).await;
    let other = Agency::make(context, NORTHWIND, &[]).await;
    let moved = json!({"id": made["id"], "patch": {"project_id": other.project_id}});
    let moved = context.call(manager, "crm_update_channel", moved).await.unwrap();
    assert_eq!(moved["client_id"], json!(other.client_id));
}

async fn endpoints_are_public_https_urls(context: &mut Context) {
    let manager = As::Northwind("manager");
    let input =
        json!({"url": "https://hooks.example.org/crm", "event_types": ["customer_created"]});
    context
        .refused(
            As::Northwind("sales"),
            "crm_create_webhook_endpoint",
            input.clone(),
            Code::Forbidden,
        )
        .await;
    let made = context.call(manager, "crm_create_webhook_endpoint", input.clone()).await.unwrap();
    assert_eq!(made["event_types"], json!(["customer_created"]));
    context.refused(manager, "crm_create_webhook_endpoint", input.clone(), Code::Conflict).await;
    context.call(As::Volt("owner"), "crm_create_webhook_endpoint", input).await.unwrap();
    let inside = json!({"url": "https://169.254.169.254/latest"});
    context.refused(manager, "crm_create_webhook_endpoint", inside, Code::InvalidArgument).await;
    let patch = json!({"id": made["id"], "patch": {"is_enabled": false, "event_types": []}});
    context
        .refused(As::Volt("owner"), "crm_update_webhook_endpoint", patch.clone(), Code::NotFound)
        .await;
    let changed = context.call(manager, "crm_update_webhook_endpoint", patch).await.unwrap();
    assert_eq!((&changed["is_enabled"], &changed["event_types"]), (&json!(false), &json!([])));
}
