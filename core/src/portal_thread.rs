//! What customers and the office write to each other in the portal.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cursor::Page;
use crate::customer::{Checks, choices};
use crate::interaction::required;
use crate::patch::{Field, given, present};
use crate::{Error, Result};

choices! {
    /// Whose turn it is. Who writes makes it the other side's, in a closed thread too.
    ThreadStatus {
        Open = "open", PendingCustomer = "pending_customer", PendingInternal = "pending_internal",
        Closed = "closed",
    }
}

const MAX_SUBJECT: usize = 200;
const MAX_BODY: usize = 10_000;
const MAX_ATTACHMENTS: usize = 20;
const MAX_OBJECT_NAME: usize = 1_000;
const MAX_FILE_NAME: usize = 255;

/// A file in Storage that was uploaded before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    pub object_name: String,
    pub file_name: String,
    pub content_type: Option<String>,
    pub size_bytes: Option<i64>,
}

/// Checks the files of a message or a request: each lies in a folder that its sender may upload to, `<org>/…/`.
pub(crate) fn check_attachments(checks: &mut Checks, given: &[Attachment], folder: &str) {
    if given.len() > MAX_ATTACHMENTS {
        checks.fail("attachments", "too_many", format!("at most {MAX_ATTACHMENTS}"));
        return;
    }
    for (index, file) in given.iter().enumerate() {
        let path = |field: &str| format!("attachments[{index}].{field}");
        let rest = file.object_name.strip_prefix(folder).unwrap_or_default();
        let climbs = rest.split('/').any(|part| matches!(part, "" | "." | ".."));
        if climbs
            || rest.contains(|letter: char| letter.is_control() || letter == '\\')
            || file.object_name.chars().count() > MAX_OBJECT_NAME
        {
            let message = format!("must be a file below {folder}");
            checks.fail(path("object_name"), "invalid_value", message);
        }
        let name = file.file_name.trim();
        if name.is_empty()
            || name.chars().count() > MAX_FILE_NAME
            || name.contains(char::is_control)
        {
            let message = format!("must be 1 to {MAX_FILE_NAME} characters");
            checks.fail(path("file_name"), "invalid_value", message);
        }
        let kind = file.content_type.as_deref().unwrap_or_default();
        if kind.chars().count() > MAX_FILE_NAME || kind.contains(char::is_control) {
            checks.fail(path("content_type"), "invalid_value", "is no content type");
        }
        if file.size_bytes.is_some_and(|size| size < 0) {
            checks.fail(path("size_bytes"), "out_of_range", "must not be negative");
        }
    }
}

/// A message that is fine.
#[derive(Debug, Serialize)]
pub struct Message {
    pub body: String,
    pub attachments: Option<Vec<Attachment>>,
}

/// A body, or files, or both.
fn message(
    checks: &mut Checks,
    path: &str,
    body: Option<String>,
    attachments: Option<Vec<Attachment>>,
    folder: &str,
) -> Message {
    let attachments = attachments.filter(|files| !files.is_empty());
    if let Some(files) = &attachments {
        check_attachments(checks, files, folder);
    }
    let body = checks.text(path, body, MAX_BODY);
    if body.is_none() && attachments.is_none() {
        checks.fail(path, "required", "must not be empty");
    }
    Message { body: body.unwrap_or_default(), attachments }
}

fn subject(checks: &mut Checks, raw: Option<String>) -> String {
    checks.text("subject", raw, MAX_SUBJECT).unwrap_or_else(|| {
        checks.fail("subject", "required", "must not be empty");
        String::new()
    })
}

/// The arguments of `portal_create_thread`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewThread {
    pub subject: Option<String>,
    pub initial_message: Option<String>,
    pub related_work_order_id: Option<Uuid>,
    pub location_id: Option<Uuid>,
    pub attachments: Option<Vec<Attachment>>,
}

/// A [`NewThread`] or a [`NewStaffThread`] that is fine.
#[derive(Debug)]
pub struct Opening {
    pub subject: String,
    pub related_work_order_id: Option<Uuid>,
    pub location_id: Option<Uuid>,
    pub message: Message,
}

impl NewThread {
    pub fn prepare(self, folder: &str) -> Result<Opening> {
        let mut checks = Checks::default();
        let subject = subject(&mut checks, self.subject);
        let (text, files) = (self.initial_message, self.attachments);
        let message = message(&mut checks, "initial_message", text, files, folder);
        checks.finish()?;
        let (related_work_order_id, location_id) = (self.related_work_order_id, self.location_id);
        Ok(Opening { subject, related_work_order_id, location_id, message })
    }
}

/// The arguments of `crm_create_portal_thread`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewStaffThread {
    pub customer_id: Option<Uuid>,
    pub subject: Option<String>,
    pub body: Option<String>,
    pub related_work_order_id: Option<Uuid>,
    pub location_id: Option<Uuid>,
    pub attachments: Option<Vec<Attachment>>,
}

impl NewStaffThread {
    pub fn prepare(self, org_id: Uuid) -> Result<(Uuid, Opening)> {
        let mut checks = Checks::default();
        let customer_id = required(&mut checks, "customer_id", self.customer_id);
        let customer_id = customer_id.unwrap_or_default();
        let subject = subject(&mut checks, self.subject);
        let folder = staff_folder(org_id, customer_id);
        let message = message(&mut checks, "body", self.body, self.attachments, &folder);
        checks.finish()?;
        let (related_work_order_id, location_id) = (self.related_work_order_id, self.location_id);
        Ok((customer_id, Opening { subject, related_work_order_id, location_id, message }))
    }
}

/// Where the owner of an account uploads.
#[must_use]
pub fn account_folder(org_id: Uuid, account_id: Uuid) -> String {
    format!("{org_id}/portal/{account_id}/")
}

/// Where staff upload what is for a customer.
#[must_use]
pub fn staff_folder(org_id: Uuid, customer_id: Uuid) -> String {
    format!("{org_id}/{customer_id}/")
}

/// The arguments of `portal_send_message` and `crm_reply_to_portal_thread`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    pub thread_id: Uuid,
    pub body: Option<String>,
    pub attachments: Option<Vec<Attachment>>,
}

impl NewMessage {
    pub fn prepare(self, folder: &str) -> Result<Message> {
        let mut checks = Checks::default();
        let message = message(&mut checks, "body", self.body, self.attachments, folder);
        checks.finish()?;
        Ok(message)
    }
}

/// The arguments of `portal_list_threads` and `crm_list_portal_threads`; only staff ask by the last two.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ThreadsQuery {
    pub status: Option<ThreadStatus>,
    pub customer_id: Option<Uuid>,
    pub assigned_to: Option<Uuid>,
    pub page_size: Option<i64>,
    pub cursor: Option<String>,
}

impl ThreadsQuery {
    pub fn page(&self) -> Result<Page> {
        let mut checks = Checks::default();
        let page = Page::read(&mut checks, self.page_size, self.cursor.as_deref());
        checks.finish()?;
        Ok(page)
    }
}

/// The arguments of what is asked about the messages of a thread.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessagesQuery {
    pub thread_id: Uuid,
    pub page_size: Option<i64>,
    pub cursor: Option<String>,
}

impl MessagesQuery {
    pub fn page(&self) -> Result<Page> {
        let mut checks = Checks::default();
        let page = Page::read(&mut checks, self.page_size, self.cursor.as_deref());
        checks.finish()?;
        Ok(page)
    }
}

/// The arguments of `portal_get_message_file`: which of the message's files, from 0.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageFile {
    pub message_id: Uuid,
    pub index: u8,
}

/// What `crm_update_portal_thread` changes; absent is left, null clears.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ThreadPatch {
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub status: Option<ThreadStatus>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub assigned_to_user_id: Field<Uuid>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl ThreadPatch {
    pub fn prepare(mut self) -> Result<Self> {
        if let Some(raw) = self.subject {
            let mut checks = Checks::default();
            self.subject = Some(subject(&mut checks, Some(raw)));
            checks.finish()?;
        }
        Ok(self)
    }
}

/// The refusal of a reference that the caller does not see, or that is of another customer.
#[must_use]
pub fn unknown_reference(path: &str) -> Error {
    let code = format!("unknown_{}", path.trim_start_matches("related_").trim_end_matches("_id"));
    Error::invalid_field(path, &code, "is not one of this customer")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::patch;

    const FOLDER: &str = "org/portal/account/";

    fn file(object_name: &str) -> Value {
        json!({"object_name": object_name, "file_name": "leak.jpg"})
    }

    fn thread(given: Value) -> Result<Opening> {
        patch::read::<NewThread>(given)?.prepare(FOLDER)
    }

    #[test]
    fn a_message_is_text_or_files_or_both() {
        let files = [file("org/portal/account/leak.jpg")];
        for (body, files, fine) in [
            (Some("Hello"), None, true),
            (None, Some(&files), true),
            (Some(" "), None, false),
            (None, None, false),
        ] {
            let given = json!({"subject": "Leak", "initial_message": body, "attachments": files});
            let outcome = thread(given);
            assert_eq!(outcome.is_ok(), fine, "{body:?}");
            if let Err(error) = outcome {
                assert_eq!(error.errors[0].path, "initial_message");
            }
        }
    }

    #[test]
    fn files_lie_in_the_folder_of_who_sends_them() {
        for name in [
            "org/portal/other/leak.jpg",
            "org/portal/account/../other/leak.jpg",
            "org/portal/account/",
            "org/portal/account//leak.jpg",
            "org/portal/account/a\\..\\b",
            "leak.jpg",
        ] {
            let given =
                json!({"subject": "x", "initial_message": "x", "attachments": [file(name)]});
            let error = thread(given).unwrap_err();
            assert_eq!(error.errors[0].path, "attachments[0].object_name", "{name}");
        }
        let given = json!({"subject": "x", "attachments": [file("org/portal/account/a/b.jpg")]});
        assert!(thread(given).is_ok());
    }

    #[test]
    fn a_subject_has_text_and_an_end() {
        for subject in [json!(" "), json!(null), json!("x".repeat(201))] {
            let given = json!({"subject": subject, "initial_message": "x"});
            assert_eq!(thread(given).unwrap_err().errors[0].path, "subject");
        }
    }

    #[test]
    fn a_patch_says_what_it_changes_and_nothing_else() {
        let read = |given: Value| patch::read::<ThreadPatch>(given)?.prepare();
        let patch = read(json!({"assigned_to_user_id": null, "subject": " New "})).unwrap();
        assert_eq!(json!(patch), json!({"assigned_to_user_id": null, "subject": "New"}));
        assert!(read(json!({"status": null})).is_err());
        assert!(read(json!({"subject": ""})).is_err());
        assert!(read(json!({"customer_id": Uuid::nil()})).is_err());
    }
}
