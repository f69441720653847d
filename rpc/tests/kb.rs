//! The knowledge base, on both drivers: who reads what, what is found, and what a job stores.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use fieldcrm_core::kb::{BUILTIN_MODEL, DIMENSIONS, builtin, chunks};
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
const CUSTOMER: As = As::Northwind("portal_customer");
const JOB: As = As::Dba(Uuid::nil());

scenarios! {
    everybody_reads_what_is_for_them
    an_article_of_the_org_stands_in_the_place_of_the_one_for_all
    strangers_have_to_name_a_portal
    an_account_that_is_suspended_reads_what_strangers_read
    pages_are_complete_and_disjoint
    slugs_are_unique_in_an_org_and_among_those_for_all
    only_editors_write_and_only_for_their_org
    words_find_and_meaning_finds_and_both_together_rank
    a_question_in_other_words_finds_by_those_it_shares
    another_models_articles_are_found_by_words_alone
    what_is_not_published_is_not_found_from_that_moment
    an_old_version_is_not_stored
    a_job_is_handed_what_is_new_or_changed_or_of_another_model
    pieces_of_what_nobody_reads_any_more_are_deleted
    only_jobs_claim_and_store
    a_wrong_argument_is_named
}

/// Starts from an empty knowledge base, with portals of both orgs.
async fn start(context: &Context) {
    context
        .client
        .batch_execute(&format!(
            "delete from kb_articles;
             insert into portal_settings (org_id, slug) values ('{NORTHWIND}', 'northwind'), ('{VOLT}', 'volt')
             on conflict (org_id) do update set slug = excluded.slug"
        ))
        .await
        .unwrap();
}

async fn write(
    context: &Context,
    org: Option<Uuid>,
    slug: &str,
    flags: &str,
    text: (&str, &str),
) -> Uuid {
    let (title, body) = text;
    let sql = "insert into kb_articles (org_id, slug, title, body_markdown, is_published, is_public, category)
        values ($1, $2, $3, $4, $5, $6, 'hvac') returning id";
    let (published, public) =
        (flags.contains("published"), flags.contains("public,") || flags.ends_with("public"));
    context
        .client
        .query_one(sql, &[&org, &slug, &title, &body, &published, &public])
        .await
        .unwrap()
        .get(0)
}

/// What the job does, with the builtin model unless another is named.
async fn embed(context: &mut Context, model: &str) -> usize {
    let claimed =
        context.call(JOB, "crm_claim_kb_articles", json!({ "model": model })).await.unwrap();
    let articles = claimed["articles"].as_array().unwrap().clone();
    for article in &articles {
        let made =
            pieces(article["title"].as_str().unwrap(), article["body_markdown"].as_str().unwrap());
        let store = json!({"article_id": article["id"], "version": article["version"], "model": model, "chunks": made});
        let stored = context.call(JOB, "crm_store_kb_chunks", store).await.unwrap();
        assert_eq!(stored, json!({"stored": true}));
    }
    articles.len()
}

fn pieces(title: &str, body: &str) -> Vec<Value> {
    let piece = |chunk: fieldcrm_core::kb::Chunk| {
        json!({
            "index": chunk.index, "heading": chunk.heading, "content": chunk.content,
            "embedding": builtin(&chunk.text(title)).to_vec(),
        })
    };
    chunks(body).into_iter().map(piece).collect()
}

fn slugs(answer: &Value, list: &str) -> Vec<String> {
    let rows = answer[list].as_array().unwrap();
    rows.iter().map(|row| row["slug"].as_str().unwrap().to_owned()).collect()
}

async fn list(context: &mut Context, caller: As, slug: Option<&str>) -> Vec<String> {
    let arguments = slug.map_or_else(|| json!({}), |slug| json!({ "slug": slug }));
    let mut found =
        slugs(&context.call(caller, "kb_list_articles", arguments).await.unwrap(), "articles");
    found.sort();
    found
}

/// With the question's embedding, as the function asks.
async fn find(context: &mut Context, caller: As, query: &str) -> Vec<String> {
    let arguments =
        json!({"query": query, "embedding": builtin(query).to_vec(), "model": BUILTIN_MODEL});
    slugs(&context.call(caller, "kb_search", arguments).await.unwrap(), "results")
}

async fn find_by_words(context: &mut Context, caller: As, query: &str) -> Vec<String> {
    slugs(&context.call(caller, "kb_search", json!({ "query": query })).await.unwrap(), "results")
}

async fn shelves(context: &Context) {
    start(context).await;
    for (org, name) in [(Some(NORTHWIND), "north"), (Some(VOLT), "volt"), (None, "all")] {
        for (kind, flags) in
            [("draft", "public"), ("members", "published"), ("public", "published,public")]
        {
            let text = ("Bleeding a radiator", "Open the valve until water comes.");
            write(context, org, &format!("{name}-{kind}"), flags, text).await;
        }
    }
}

async fn everybody_reads_what_is_for_them(context: &mut Context) {
    shelves(context).await;
    embed(context, BUILTIN_MODEL).await;
    let members = ["all-members", "all-public", "north-members", "north-public"];
    let public = ["all-public", "north-public"];
    for (caller, slug, expected) in [
        (CSR, None, &members[..]),
        (As::Northwind("technician"), None, &members),
        (CUSTOMER, None, &members),
        (CUSTOMER, Some("northwind"), &members),
        (As::Dba(NORTHWIND), None, &members),
        (As::Nobody, Some("northwind"), &public),
        (As::Volt("csr"), Some("northwind"), &public),
        (As::Volt("portal_customer"), Some("northwind"), &public),
    ] {
        assert_eq!(list(context, caller, slug).await, expected, "{caller:?} {slug:?}");
        let arguments = json!({"query": "radiator valve", "slug": slug});
        let mut found =
            slugs(&context.call(caller, "kb_search", arguments).await.unwrap(), "results");
        found.sort();
        assert_eq!(found, expected, "{caller:?} {slug:?}");
        for kind in ["north-draft", "north-members", "north-public", "volt-public", "all-members"] {
            let get = json!({"article_slug": kind, "slug": slug});
            let shown = context.call(caller, "kb_get_article", get).await;
            assert_eq!(shown.is_ok(), expected.contains(&kind), "{caller:?} {slug:?} {kind}");
        }
    }
}

async fn an_article_of_the_org_stands_in_the_place_of_the_one_for_all(context: &mut Context) {
    start(context).await;
    write(context, None, "billing", "published,public", ("Paying", "For all.")).await;
    write(context, Some(NORTHWIND), "billing", "published", ("Paying us", "Ours.")).await;
    let body = |answer: Value| answer["body_markdown"].as_str().unwrap().to_owned();
    let get = json!({"article_slug": "billing"});
    assert_eq!(body(context.call(CSR, "kb_get_article", get.clone()).await.unwrap()), "Ours.");
    assert_eq!(list(context, CSR, None).await, ["billing"]);
    assert_eq!(
        body(context.call(As::Volt("csr"), "kb_get_article", get).await.unwrap()),
        "For all."
    );
    // Strangers do not see the one that stands there for members.
    let get = json!({"article_slug": "billing", "slug": "northwind"});
    assert_eq!(body(context.call(As::Nobody, "kb_get_article", get).await.unwrap()), "For all.");
}

async fn strangers_have_to_name_a_portal(context: &mut Context) {
    shelves(context).await;
    let error =
        context.refused(As::Nobody, "kb_list_articles", json!({}), Code::InvalidArgument).await;
    assert_eq!(error.errors[0].path, "slug");
    context
        .refused(As::Nobody, "kb_search", json!({"query": "x", "slug": "nowhere"}), Code::NotFound)
        .await;
    let newcomer = As::User(context.newcomer("kb@newcomer.example").await);
    context.refused(newcomer, "kb_list_articles", json!({}), Code::NoMembership).await;
    assert_eq!(list(context, newcomer, Some("volt")).await, ["all-public", "volt-public"]);
}

async fn an_account_that_is_suspended_reads_what_strangers_read(context: &mut Context) {
    shelves(context).await;
    let user = context.user("portal_customer@northwind.example").await;
    let suspend = "update portal_accounts set status = 'suspended' where user_id = $1";
    assert_eq!(context.client.execute(suspend, &[&user]).await.unwrap(), 1);
    context.refused(CUSTOMER, "kb_list_articles", json!({}), Code::PortalAccountInactive).await;
    assert_eq!(list(context, CUSTOMER, Some("northwind")).await, ["all-public", "north-public"]);
}

async fn pages_are_complete_and_disjoint(context: &mut Context) {
    start(context).await;
    for number in 0..7 {
        write(context, Some(NORTHWIND), &format!("a{number}"), "published", ("Title", "Body"))
            .await;
    }
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    for expected in [3, 3, 1] {
        let page = json!({"page_size": 3, "cursor": cursor, "category": "hvac"});
        let page = context.call(CSR, "kb_list_articles", page).await.unwrap();
        assert_eq!(slugs(&page, "articles").len(), expected);
        seen.extend(slugs(&page, "articles"));
        cursor = page["next_cursor"].clone();
        assert!(
            page["articles"][0].get("place").is_none() && page["articles"][0].get("id").is_none()
        );
    }
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), cursor), (7, Value::Null));
    let none = context.call(CSR, "kb_list_articles", json!({"category": "billing"})).await.unwrap();
    assert_eq!(none, json!({"articles": [], "next_cursor": null}));
}

async fn slugs_are_unique_in_an_org_and_among_those_for_all(context: &mut Context) {
    start(context).await;
    for org in [Some(NORTHWIND), Some(VOLT), None] {
        write(context, org, "same", "published", ("Title", "Body")).await;
        context.client.batch_execute("savepoint again").await.unwrap();
        let sql = "insert into kb_articles (org_id, slug, title, body_markdown) values ($1, 'same', 'Title', 'Body')";
        let error = context.client.execute(sql, &[&org]).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().constraint(), Some("kb_articles_org_id_slug_key"));
        context.client.batch_execute("rollback to again").await.unwrap();
    }
}

async fn only_editors_write_and_only_for_their_org(context: &mut Context) {
    shelves(context).await;
    for (role, may) in [
        ("manager", true),
        ("csr", true),
        ("sales", false),
        ("viewer", false),
        ("portal_customer", false),
    ] {
        context.client.batch_execute("savepoint writer").await.unwrap();
        context.enter(As::Northwind(role), "authenticated").await;
        let insert = "insert into kb_articles (slug, title, body_markdown) values ('fresh', 'Fresh', 'Text')";
        assert_eq!(context.client.execute(insert, &[]).await.is_ok(), may, "{role}");
        context.client.batch_execute("rollback to writer").await.unwrap();
        context.enter(As::Northwind(role), "authenticated").await;
        let update = "update kb_articles set title = 'Changed'";
        let changed = context.client.execute(update, &[]).await.unwrap_or_default();
        assert_eq!(changed, if may { 3 } else { 0 }, "{role}: their org's, and no other");
        context.client.batch_execute("rollback to writer").await.unwrap();
    }
    context.enter(CSR, "authenticated").await;
    let sql = "select array_agg(slug order by slug) from kb_articles";
    let seen: Vec<String> = context.client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(seen, ["all-members", "all-public", "north-draft", "north-members", "north-public"]);
    context.leave().await;
    context.enter(CUSTOMER, "authenticated").await;
    let count: i64 =
        context.client.query_one("select count(*) from kb_articles", &[]).await.unwrap().get(0);
    assert_eq!(count, 0, "customers read by the RPCs");
    context.leave().await;
}

async fn words_find_and_meaning_finds_and_both_together_rank(context: &mut Context) {
    start(context).await;
    for (slug, title, body) in [
        (
            "filter",
            "Changing the furnace filter",
            "Switch the furnace off and slide the old filter out.",
        ),
        (
            "thermostat",
            "Thermostat batteries",
            "# Batteries\n\nThe display is blank. Put in two new batteries.\n\n# Display\n\nA dark furnace display.",
        ),
        ("invoice", "Paying an invoice", "Pay by card in the portal."),
    ] {
        write(context, Some(NORTHWIND), slug, "published", (title, body)).await;
    }
    embed(context, BUILTIN_MODEL).await;
    assert_eq!(find_by_words(context, CSR, "furnace filter").await, ["filter", "thermostat"]);
    assert_eq!(find(context, CSR, "furnace filter").await[0], "filter");
    let question = "new batteries for a blank display";
    let ask = json!({"query": question, "embedding": builtin(question).to_vec(), "model": BUILTIN_MODEL, "page_size": 1});
    let answer = context.call(CSR, "kb_search", ask).await.unwrap();
    let best = &answer["results"][0];
    assert_eq!(answer["mode"], "hybrid");
    assert_eq!(
        (&best["slug"], &best["heading"]),
        (&json!("thermostat"), &json!("Batteries")),
        "its best piece"
    );
    assert!(best["excerpt"].as_str().unwrap().contains("new batteries"), "{best}");
    assert!(best["similarity"].as_f64().unwrap() > 0.3);
    // In both lists at the first place; the builtin model counts a tenth.
    assert!((best["score"].as_f64().unwrap() - 1.1 / 61.0).abs() < 1e-5, "{best}");
    assert!(best.get("id").is_none());
    let billing = json!({"query": "furnace", "category": "billing"});
    assert_eq!(
        context.call(CSR, "kb_search", billing).await.unwrap(),
        json!({"mode": "text", "results": []})
    );
}

async fn a_question_in_other_words_finds_by_those_it_shares(context: &mut Context) {
    start(context).await;
    write(
        context,
        Some(NORTHWIND),
        "leak",
        "published",
        ("Leaking taps", "A worn washer makes a tap drip."),
    )
    .await;
    write(context, Some(NORTHWIND), "card", "published", ("Cards", "We take cards.")).await;
    embed(context, BUILTIN_MODEL).await;
    assert_eq!(
        find_by_words(context, CSR, "why does my kitchen tap never stop dripping?").await,
        ["leak"]
    );
    // An exclusion, and a phrase, are what they are.
    assert_eq!(find_by_words(context, CSR, "tap -washer").await, [""; 0]);
    assert_eq!(find_by_words(context, CSR, "\"worn washer\"").await, ["leak"]);
    assert_eq!(find_by_words(context, CSR, "\"washer worn\"").await, [""; 0]);
    for odd in ["'", "& | !", "\\", "a:*b", "the of and", "<-> (", "%_"] {
        find(context, CSR, odd).await;
    }
}

async fn another_models_articles_are_found_by_words_alone(context: &mut Context) {
    start(context).await;
    write(context, Some(NORTHWIND), "tap", "published", ("Leaking taps", "A tap drips.")).await;
    embed(context, "another-model").await;
    let ask = json!({"query": "tap", "embedding": builtin("tap").to_vec(), "model": BUILTIN_MODEL});
    let answer = context.call(CSR, "kb_search", ask).await.unwrap();
    assert_eq!(
        (&answer["results"][0]["slug"], &answer["results"][0]["similarity"]),
        (&json!("tap"), &Value::Null)
    );
    let ask =
        json!({"query": "faucet", "embedding": builtin("tap").to_vec(), "model": BUILTIN_MODEL});
    assert_eq!(context.call(CSR, "kb_search", ask.clone()).await.unwrap()["results"], json!([]));
    assert_eq!(embed(context, BUILTIN_MODEL).await, 1, "the model is another now");
    assert_eq!(slugs(&context.call(CSR, "kb_search", ask).await.unwrap(), "results"), ["tap"]);
}

async fn what_is_not_published_is_not_found_from_that_moment(context: &mut Context) {
    start(context).await;
    write(context, Some(NORTHWIND), "tap", "published,public", ("Leaking taps", "A tap drips."))
        .await;
    embed(context, BUILTIN_MODEL).await;
    assert_eq!(find(context, CSR, "tap").await, ["tap"]);
    context.client.batch_execute("update kb_articles set is_published = false").await.unwrap();
    assert_eq!(find(context, CSR, "tap").await, [""; 0]);
}

async fn an_old_version_is_not_stored(context: &mut Context) {
    start(context).await;
    let id =
        write(context, Some(NORTHWIND), "tap", "published", ("Leaking taps", "A tap drips.")).await;
    let store = |version: i64| json!({"article_id": id, "version": version, "model": BUILTIN_MODEL, "chunks": pieces("x", "Old text.")});
    context
        .client
        .batch_execute("update kb_articles set body_markdown = 'A tap leaks.'")
        .await
        .unwrap();
    assert_eq!(
        context.call(JOB, "crm_store_kb_chunks", store(1)).await.unwrap(),
        json!({"stored": false})
    );
    // Twice is once.
    for _ in 0..2 {
        assert_eq!(
            context.call(JOB, "crm_store_kb_chunks", store(2)).await.unwrap(),
            json!({"stored": true})
        );
    }
    let count: i64 = context
        .client
        .query_one("select count(*) from kb_article_chunks", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(count, 1);
    context.client.batch_execute("update kb_articles set is_published = false").await.unwrap();
    assert_eq!(
        context.call(JOB, "crm_store_kb_chunks", store(3)).await.unwrap(),
        json!({"stored": false})
    );
    let nobodys = json!({"article_id": Uuid::nil(), "version": 1, "model": "m", "chunks": []});
    context.refused(JOB, "crm_store_kb_chunks", nobodys, Code::NotFound).await;
    context.refused(As::Dba(VOLT), "crm_store_kb_chunks", store(3), Code::NotFound).await;
}

async fn a_job_is_handed_what_is_new_or_changed_or_of_another_model(context: &mut Context) {
    shelves(context).await;
    assert_eq!(embed(context, BUILTIN_MODEL).await, 6, "all that is published");
    assert_eq!(embed(context, BUILTIN_MODEL).await, 0);
    let change = "update kb_articles set body_markdown = 'Changed.' where slug = 'volt-public';
        update kb_articles set category = 'other', tags = '{a}' where slug = 'north-public'";
    context.client.batch_execute(change).await.unwrap();
    assert_eq!(embed(context, BUILTIN_MODEL).await, 1, "a category changes nothing that is found");
    assert_eq!(embed(context, "another-model").await, 6);
    // Of one org only, and on from where the last claim ended.
    let ask = json!({"model": "third", "batch_limit": 1});
    let first = context.call(As::Dba(VOLT), "crm_claim_kb_articles", ask).await.unwrap();
    let after = first["articles"][0]["id"].clone();
    let ask = json!({"model": "third", "after": after});
    let rest = context.call(As::Dba(VOLT), "crm_claim_kb_articles", ask).await.unwrap();
    let rest = rest["articles"].as_array().unwrap();
    assert!(rest.len() == 1 && rest[0]["id"] != after);
}

async fn pieces_of_what_nobody_reads_any_more_are_deleted(context: &mut Context) {
    shelves(context).await;
    embed(context, BUILTIN_MODEL).await;
    context
        .client
        .batch_execute("update kb_articles set is_published = false where org_id is null")
        .await
        .unwrap();
    let claimed =
        context.call(JOB, "crm_claim_kb_articles", json!({"model": BUILTIN_MODEL})).await.unwrap();
    assert_eq!(claimed, json!({"articles": [], "cleared": 2}));
    let sql = "select count(*) from kb_article_chunks where org_id is null";
    let left: i64 = context.client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
    context
        .client
        .batch_execute("update kb_articles set is_published = true where slug = 'all-public'")
        .await
        .unwrap();
    assert_eq!(embed(context, BUILTIN_MODEL).await, 1);
}

async fn only_jobs_claim_and_store(context: &mut Context) {
    start(context).await;
    let id = write(context, Some(NORTHWIND), "tap", "published", ("Taps", "A tap.")).await;
    let store = json!({"article_id": id, "version": 1, "model": "m", "chunks": []});
    for caller in [As::Northwind("owner"), CUSTOMER] {
        context
            .refused(caller, "crm_claim_kb_articles", json!({"model": "m"}), Code::Forbidden)
            .await;
        context.refused(caller, "crm_store_kb_chunks", store.clone(), Code::Forbidden).await;
    }
}

async fn a_wrong_argument_is_named(context: &mut Context) {
    start(context).await;
    for (name, arguments, path) in [
        ("kb_search", json!({"query": " "}), "query"),
        ("kb_search", json!({"query": "x".repeat(501)}), "query"),
        ("kb_search", json!({"query": "x", "embedding": vec![0.1; DIMENSIONS]}), "model"),
        ("kb_search", json!({"query": "x", "model": "m", "embedding": [1]}), "embedding"),
        ("kb_search", json!({"query": "x", "page_size": 0}), "page_size"),
        ("kb_list_articles", json!({"category": "a b"}), "category"),
        ("kb_list_articles", json!({"cursor": "x"}), "cursor"),
        ("kb_get_article", json!({"article_slug": "A B"}), "article_slug"),
    ] {
        let error = context.refused(CSR, name, arguments, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, path, "{name}");
    }
}
