//! Message templates, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
const RENDER: &str = "crm_render_template";

scenarios! {
    a_template_is_filled_in_for_a_customer
    what_customers_wrote_is_escaped_in_an_email_and_stays_in_one_line_of_the_subject
    every_mistake_of_a_template_is_named
    variables_are_those_the_template_lists
    a_template_or_a_customer_of_another_org_is_unknown
    readers_of_customers_render_and_nobody_else
    every_name_that_is_promised_is_known
    a_template_is_checked_without_a_customer
}

async fn template(
    context: &Context,
    org: Uuid,
    channel: &str,
    subject: Option<&str>,
    body: &str,
    variables: Value,
) -> Uuid {
    context
        .client
        .query_one(
            "insert into crm_message_templates (org_id, name, channel, subject, body, variables)
             values ($1, gen_random_uuid()::text, $2::text::template_channel, $3, $4, nullif($5, 'null'::jsonb)) returning id",
            &[&org, &channel, &subject, &body, &variables],
        )
        .await
        .unwrap()
        .get(0)
}

async fn customer(context: &Context, org: Uuid, first_name: &str) -> Uuid {
    context
        .client
        .query_one(
            "insert into customers (org_id, type, name, first_name, email) values ($1, 'individual', $2, $2, 'ada@example.com') returning id",
            &[&org, &first_name],
        )
        .await
        .unwrap()
        .get(0)
}

async fn a_template_is_filled_in_for_a_customer(context: &mut Context) {
    let body = "Hi {{customer.first_name}}, {{ discount }}% off. {{ user.full_name }}, {{ org.name }} ({{ customer.company_name }})";
    let template = template(context, NORTHWIND, "sms", None, body, json!(["discount"])).await;
    let customer = customer(context, NORTHWIND, "Ada").await;
    let arguments =
        json!({"template_id": template, "customer_id": customer, "variables": {"discount": 15}});
    let rendered = context.call(CSR, RENDER, arguments).await.unwrap();
    let expected = "Hi Ada, 15% off. Clara Winter, Northwind Heating & Plumbing ()";
    assert_eq!(rendered, json!({"channel": "sms", "subject": null, "body": expected}));
}

async fn what_customers_wrote_is_escaped_in_an_email_and_stays_in_one_line_of_the_subject(
    context: &mut Context,
) {
    let template = template(
        context,
        NORTHWIND,
        "email",
        Some("For {{ customer.first_name }}"),
        "<p>{{ customer.first_name }}</p>",
        Value::Null,
    )
    .await;
    let customer = customer(context, NORTHWIND, "<b>A</b>\r\nBcc: x@y.example").await;
    let rendered = context
        .call(CSR, RENDER, json!({"template_id": template, "customer_id": customer}))
        .await
        .unwrap();
    assert_eq!(rendered["subject"], "For <b>A</b> Bcc: x@y.example");
    assert_eq!(rendered["body"], "<p>&lt;b&gt;A&lt;&#x2f;b&gt;\r\nBcc: x@y.example</p>");
}

async fn every_mistake_of_a_template_is_named(context: &mut Context) {
    let body = "{{ customer.firstname }} {{ nonsense }} {% set x = 1 %}";
    let template =
        template(context, NORTHWIND, "email", Some("{{ org.nme }}"), body, Value::Null).await;
    let customer = customer(context, NORTHWIND, "Ada").await;
    let arguments = json!({"template_id": template, "customer_id": customer});
    let error = context.refused(CSR, RENDER, arguments, Code::InvalidTemplate).await;
    let found: Vec<_> =
        error.errors.iter().map(|one| (one.path.as_str(), one.code.as_str())).collect();
    let unknown = "unknown_variable";
    assert_eq!(
        found,
        [("subject", unknown), ("body", unknown), ("body", unknown), ("body", "not_allowed")]
    );
    assert!(error.errors[1].message.contains("customer.first_name"));
}

async fn variables_are_those_the_template_lists(context: &mut Context) {
    let template =
        template(context, NORTHWIND, "sms", None, "{{ discount }}", json!(["discount"])).await;
    let customer = customer(context, NORTHWIND, "Ada").await;
    let arguments = |variables: Value| json!({"template_id": template, "customer_id": customer, "variables": variables});
    let error =
        context.refused(CSR, RENDER, arguments(json!({"rebate": 1})), Code::InvalidArgument).await;
    assert_eq!(error.errors[0].path, "variables.rebate");
    context.refused(CSR, RENDER, arguments(Value::Null), Code::InvalidTemplate).await;
    assert_eq!(
        context.call(CSR, RENDER, arguments(json!({"discount": null}))).await.unwrap()["body"],
        ""
    );
}

async fn a_template_or_a_customer_of_another_org_is_unknown(context: &mut Context) {
    let ours = template(context, NORTHWIND, "sms", None, "x", Value::Null).await;
    let theirs = template(context, VOLT, "sms", None, "x", Value::Null).await;
    let our_customer = customer(context, NORTHWIND, "Ada").await;
    let their_customer = customer(context, VOLT, "Ada").await;
    for (template, customer) in
        [(ours, their_customer), (theirs, our_customer), (theirs, their_customer)]
    {
        let arguments = json!({"template_id": template, "customer_id": customer});
        context.refused(CSR, RENDER, arguments.clone(), Code::NotFound).await;
        if (template, customer) != (theirs, their_customer) {
            context.refused(As::Volt("owner"), RENDER, arguments.clone(), Code::NotFound).await;
            context.refused(As::Dba(NORTHWIND), RENDER, arguments, Code::NotFound).await;
        }
    }
}

async fn readers_of_customers_render_and_nobody_else(context: &mut Context) {
    let template = template(context, NORTHWIND, "sms", None, "{{ user.email }}", Value::Null).await;
    let customer = customer(context, NORTHWIND, "Ada").await;
    let arguments = json!({"template_id": template, "customer_id": customer});
    for role in ["owner", "admin", "manager", "dispatcher", "csr", "sales", "member", "viewer"] {
        let rendered = context.call(As::Northwind(role), RENDER, arguments.clone()).await.unwrap();
        assert_eq!(rendered["body"], format!("{role}@northwind.example"));
    }
    // Nobody is signed in, so nothing is known of them.
    let rendered = context.call(As::Dba(NORTHWIND), RENDER, arguments.clone()).await.unwrap();
    assert_eq!(rendered["body"], "");
    for role in ["technician", "client_admin", "portal_customer", "portal_manager"] {
        let caller = As::Northwind(role);
        context.refused(caller, RENDER, arguments.clone(), Code::Forbidden).await;
        let source = json!({"channel": "sms", "body": "x"});
        context.refused(caller, "crm_validate_template", source, Code::Forbidden).await;
    }
}

async fn every_name_that_is_promised_is_known(context: &mut Context) {
    let names = "customer.id customer.name customer.first_name customer.last_name customer.company_name customer.email
        customer.phone customer.type customer.status customer.preferred_language customer.city org.name org.time_zone
        org.currency user.full_name user.email user.phone";
    let filled = names.split_whitespace().map(|name| format!("{name}={{{{ {name} }}}};"));
    let body = filled.collect::<Vec<_>>().concat();
    let template = template(context, NORTHWIND, "sms", None, &body, Value::Null).await;
    let sql = "select id, city from customer_locations_of_demo";
    let sql = sql.replace("customer_locations_of_demo", "(select c.id, l.city from customers c join customer_locations l
        on l.id = c.primary_location_id where c.org_id = $1 and c.type = 'individual' order by c.id limit 1) x");
    let row = context.client.query_one(&sql, &[&NORTHWIND]).await.unwrap();
    let (customer, city): (Uuid, String) = (row.get(0), row.get(1));
    let arguments = json!({"template_id": template, "customer_id": customer});
    let rendered = context.call(CSR, RENDER, arguments).await.unwrap();
    let text = rendered["body"].as_str().unwrap();
    for part in [
        format!("customer.id={customer};"),
        format!("customer.city={city};"),
        "org.currency=USD;".to_owned(),
    ] {
        assert!(text.contains(&part), "{part} is not in {text}");
    }
    for given in [
        "customer.name",
        "customer.first_name",
        "customer.email",
        "customer.phone",
        "customer.status",
        "user.email",
    ] {
        assert!(!text.contains(&format!("{given}=;")), "{given} is empty in {text}");
    }
}

async fn a_template_is_checked_without_a_customer(context: &mut Context) {
    let source = json!({"channel": "email", "subject": "{{ offer }}", "body": "{{ customer.name }}{{ x }}\n{% if", "variables": ["offer"]});
    let checked = context.call(CSR, "crm_validate_template", source).await.unwrap();
    assert_eq!((&checked["ok"], &checked["variables_used"]), (&json!(false), &json!(["offer"])));
    assert_eq!(
        (&checked["errors"][0]["path"], &checked["errors"][0]["code"]),
        (&json!("body"), &json!("syntax"))
    );
    let source = json!({"channel": "sms", "body": "{{ customer.name }}"});
    let checked = context.call(CSR, "crm_validate_template", source).await.unwrap();
    assert_eq!(checked, json!({"ok": true, "errors": [], "variables_used": ["customer.name"]}));
    let source = json!({"channel": "fax", "body": "x"});
    context.refused(CSR, "crm_validate_template", source, Code::InvalidArgument).await;
}
