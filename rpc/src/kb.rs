//! The knowledge base: what customers read, and the job that makes it findable.
//!
//! Readers are members of an org (its staff, its customers with an active portal account), who read what is published of
//! it and for all; and everybody else, who names the org by the slug of its portal and reads what is public.

use fieldcrm_core::cursor::Cursor;
use fieldcrm_core::kb::{ClaimArticles, GetArticle, ListArticles, Search, StoreChunks, fusion};
use fieldcrm_core::{Code, Error, Result, patch};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::channel::check_service;
use crate::{Db, call_as, portal, session};

/// A statement over the articles that the reader sees.
macro_rules! statement {
    ($name:literal) => {
        concat!(
            include_str!("../sql/kb/visible.sql"),
            include_str!(concat!("../sql/kb/", $name, ".sql")),
        )
    };
}

const FIND_ORG: &str = include_str!("../sql/kb/find_org.sql");
const SEARCH: &str = statement!("search");
const LIST: &str = statement!("list");
const GET: &str = statement!("get");
const CLAIM: &str = include_str!("../sql/kb/claim.sql");
const LOCK: &str = include_str!("../sql/kb/lock.sql");
const CLEAR: &str = include_str!("../sql/kb/clear.sql");
const STORE: &str = include_str!("../sql/kb/store.sql");

/// Whose articles, and whether only what is public.
struct Reader {
    org_id: Uuid,
    public_only: bool,
}

async fn reader(db: &mut impl Db, slug: Option<&str>) -> Result<Reader> {
    let caller = session::current(db).await?;
    let employee = caller.service || caller.is_staff();
    let Some(slug) = slug else {
        if !caller.service && caller.user_id.is_none() {
            let message = "say whose articles: the slug of the company's portal";
            return Err(Error::invalid_field("slug", "required", message));
        }
        let org_id = caller.org()?;
        if !employee {
            portal::account(db).await?;
        }
        return Ok(Reader { org_id, public_only: false });
    };
    let org_id: Option<Uuid> = call_as(db, FIND_ORG, &json!({ "slug": slug })).await?;
    let org_id = org_id.ok_or_else(|| Error::not_found("portal"))?;
    let member = caller.org_id == Some(org_id)
        && (employee
            || match portal::account(db).await {
                Ok(_) => true,
                Err(error) if error.code.status() == 403 => false,
                Err(error) => return Err(error),
            });
    Ok(Reader { org_id, public_only: !member })
}

/// `kb_search(query, embedding, model, slug, category, page_size)`: the best articles, by words and by meaning.
pub async fn search<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let search = patch::read::<Search>(arguments)?.prepare()?;
    let reader = reader(db, search.slug.as_deref()).await?;
    let fusion = fusion(search.model.as_deref().unwrap_or_default());
    db.call(
        SEARCH,
        &json!({
            "org_id": reader.org_id, "public_only": reader.public_only, "category": search.category,
            "query": search.query, "embedding": search.embedding, "model": search.model,
            "weight": fusion.weight, "least": fusion.least, "page_size": search.page_size,
        }),
    )
    .await
}

/// `kb_list_articles(slug, category, page_size, cursor)`: a page of articles, the newest first.
pub async fn list<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let (list, page_size) = patch::read::<ListArticles>(arguments)?.prepare()?;
    let cursor = list.cursor.as_deref().map(|text| Cursor::decode("cursor", text)).transpose()?;
    let reader = reader(db, list.slug.as_deref()).await?;
    let document = json!({
        "org_id": reader.org_id, "public_only": reader.public_only, "category": list.category,
        "at": cursor.map(|cursor| cursor.at), "id": cursor.map(|cursor| cursor.id),
        "page_size": page_size + 1,
    });
    let mut rows: Vec<Value> = call_as(db, LIST, &document).await?;
    let size = usize::try_from(page_size).unwrap_or_default();
    let more = rows.len() > size;
    rows.truncate(size);
    let mut last = None;
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        // A reader knows an article by its slug.
        last = row.remove("place");
    }
    let next_cursor = last.filter(|_| more).map(|place| place_of(&place)).transpose()?;
    Ok(json!({"articles": rows, "next_cursor": next_cursor.map(|cursor| cursor.encode())}))
}

fn place_of(place: &Value) -> Result<Cursor> {
    let at = place["at"].as_str().and_then(|at| at.parse().ok());
    let id = place["id"].as_str().and_then(|id| id.parse().ok());
    match (at, id) {
        (Some(at), Some(id)) => Ok(Cursor { at, id }),
        _ => Err(Error::internal("an article without created_at and id")),
    }
}

/// `kb_get_article(article_slug, slug)`: one article.
pub async fn get<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let get = patch::read::<GetArticle>(arguments)?.prepare()?;
    let reader = reader(db, get.slug.as_deref()).await?;
    let document = json!({
        "org_id": reader.org_id, "public_only": reader.public_only, "slug": get.article_slug,
    });
    let article = db.call(GET, &document).await?;
    if article.is_null() { Err(Error::not_found("article")) } else { Ok(article) }
}

/// `crm_claim_kb_articles(model, batch_limit, after)`: a job's; articles whose pieces are old or another model's. Nothing is
/// leased: whoever stores first has done it, and the other stores the same.
pub async fn claim<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let (model, batch_limit, after) = patch::read::<ClaimArticles>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    check_service(&caller)?;
    let document = json!({
        "org_id": caller.org_id, "model": model, "batch_limit": batch_limit, "after": after,
    });
    db.call(CLAIM, &document).await
}

/// `crm_store_kb_chunks(article_id, version, model, chunks)`: a job's; the pieces of that version, if it is still the one.
pub async fn store<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let store = patch::read::<StoreChunks>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    check_service(&caller)?;
    let mut document = json!(store);
    document["org_id"] = json!(caller.org_id);
    // First the lock, so that the statements after it see what another worker stored meanwhile.
    let current: Option<bool> = call_as(db, LOCK, &document).await?;
    let current = current.ok_or_else(|| Error::new(Code::NotFound, "There is no such article."))?;
    if current {
        db.call(CLEAR, &document).await?;
        db.call(STORE, &document).await?;
    }
    Ok(json!({ "stored": current }))
}
