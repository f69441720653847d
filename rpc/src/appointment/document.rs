//! The papers of a customer: documents, bills, memberships and warranties.

use fieldcrm_core::appointment::{InvoicesQuery, One};
use fieldcrm_core::cursor::PageQuery;
use fieldcrm_core::{Error, Result, patch};
use serde_json::{Value, json};

use crate::Db;
use crate::page::{below, finish};
use crate::portal::{account, audit};

const DOCUMENTS: &str = concat!(
    include_str!("../../sql/appointment/scope.sql"),
    include_str!("../../sql/appointment/documents.sql")
);
const DOCUMENT: &str = concat!(
    include_str!("../../sql/appointment/scope.sql"),
    include_str!("../../sql/appointment/document.sql")
);
const INVOICES: &str = concat!(
    include_str!("../../sql/appointment/scope.sql"),
    include_str!("../../sql/appointment/invoices.sql")
);
const MEMBERSHIPS: &str = concat!(
    include_str!("../../sql/appointment/scope.sql"),
    include_str!("../../sql/appointment/memberships.sql")
);

/// `portal_list_documents(page_size, cursor)`: `{items, next_cursor}`, the newest first.
pub async fn list_documents<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let page = patch::read::<PageQuery>(arguments)?.prepare()?;
    let account = account(db).await?;
    let (at, id) = below(&page);
    let document = json!({
        "org_id": account.org_id, "scope": account.scope(), "at": at, "id": id, "limit": page.limit,
    });
    finish(db.call(DOCUMENTS, &document).await?, page.limit)
}

/// `portal_get_document(id)`: where its file is in Storage. That it was asked for is kept.
pub async fn get_document<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let One { id } = patch::read(arguments)?;
    let account = account(db).await?;
    let key = json!({"org_id": account.org_id, "scope": account.scope(), "id": id});
    let found = db.call(DOCUMENT, &key).await?;
    if found.is_null() {
        return Err(Error::not_found("document"));
    }
    audit(db, &account, "document_viewed", json!({"document_id": id})).await?;
    Ok(found)
}

/// `portal_list_invoices(status, page_size, cursor)`: `{items, next_cursor}`, the newest first.
pub async fn list_invoices<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let query: InvoicesQuery = patch::read(arguments)?;
    let page = query.page()?;
    let account = account(db).await?;
    let (at, id) = below(&page);
    let document = json!({
        "org_id": account.org_id, "scope": account.scope(), "status": query.status, "at": at, "id": id,
        "limit": page.limit,
    });
    finish(db.call(INVOICES, &document).await?, page.limit)
}

/// `portal_list_memberships()`: {memberships, warranties}.
pub async fn list_memberships<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    patch::require_object("$", &arguments)?;
    let account = account(db).await?;
    db.call(MEMBERSHIPS, &json!({"org_id": account.org_id, "scope": account.scope()})).await
}
