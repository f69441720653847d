//! What customers ask about their visits, and what came of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Result;
use crate::cursor::Page;
use crate::customer::{Checks, choices};
use crate::work_order::Status;

choices! {
    /// The bills that a customer sees: no drafts, and none that was taken back.
    InvoiceStatus { Sent = "sent", Paid = "paid", }
}

/// The arguments of what is asked about one row.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct One {
    pub id: Uuid,
}

/// The arguments of `portal_list_appointments`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AppointmentsQuery {
    /// 30 days ago, where it is absent.
    pub from_at: Option<DateTime<Utc>>,
    pub to_at: Option<DateTime<Utc>>,
    pub status: Option<Status>,
    pub page_size: Option<i64>,
    pub cursor: Option<String>,
}

impl AppointmentsQuery {
    pub fn page(&self) -> Result<Page> {
        let mut checks = Checks::default();
        if let (Some(from), Some(to)) = (self.from_at, self.to_at)
            && from >= to
        {
            checks.fail("to_at", "out_of_range", "must be after from_at");
        }
        let page = Page::read(&mut checks, self.page_size, self.cursor.as_deref());
        checks.finish()?;
        Ok(page)
    }
}

/// The arguments of `portal_list_invoices`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InvoicesQuery {
    pub status: Option<InvoiceStatus>,
    pub page_size: Option<i64>,
    pub cursor: Option<String>,
}

impl InvoicesQuery {
    pub fn page(&self) -> Result<Page> {
        let mut checks = Checks::default();
        let page = Page::read(&mut checks, self.page_size, self.cursor.as_deref());
        checks.finish()?;
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::patch;

    #[test]
    fn a_range_is_not_empty() {
        let at = "2026-12-01T10:00:00Z";
        let query: AppointmentsQuery =
            patch::read(json!({"from_at": at, "to_at": at, "page_size": 0})).unwrap();
        let error = query.page().unwrap_err();
        let paths: Vec<_> = error.errors.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(paths, ["to_at", "page_size"]);
    }

    #[test]
    fn drafts_and_void_bills_cannot_be_asked_for() {
        for status in ["draft", "void"] {
            assert!(patch::read::<InvoicesQuery>(json!({"status": status})).is_err(), "{status}");
        }
    }
}
