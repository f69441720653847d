//! What the owners of portal accounts are told, in words.

use chrono::{DateTime, Duration, Utc};
use minijinja::HtmlEscape;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::customer::choices;

choices! {
    /// What there is news about.
    Kind { Booking = "booking", Appointment = "appointment", Message = "message", }
}

/// How long it matters that somebody is on their way.
const ON_THE_WAY: Duration = Duration::hours(4);

/// A notice, with what its text needs.
#[derive(Clone, Debug, Deserialize)]
pub struct Notice {
    pub id: Uuid,
    pub kind: Kind,
    /// What became of it: a status, `scheduled`, `moved`, `eta`.
    pub change: String,
    pub created_at: DateTime<Utc>,
    pub org_name: String,
    /// Of a visit or a booking: its type.
    pub service: Option<String>,
    /// When the visit is, by the clock of the org.
    pub window: Option<String>,
    pub window_end: Option<DateTime<Utc>>,
    /// When somebody arrives, by the clock of the org.
    pub eta: Option<String>,
    /// Of a thread.
    pub subject: Option<String>,
}

/// What one account wants to hear of.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Wishes {
    pub email: bool,
    pub sms: bool,
    pub en_route: bool,
}

impl Default for Wishes {
    /// As the table has them.
    fn default() -> Self {
        Self { email: true, sms: true, en_route: true }
    }
}

/// The words of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub subject: String,
    pub sentence: String,
}

impl Notice {
    fn is_on_the_way(&self) -> bool {
        self.kind == Kind::Appointment && matches!(self.change.as_str(), "en_route" | "eta")
    }

    /// Whether the account is told by e-mail and by text message. That there is a message is not worth a second one on the
    /// phone.
    #[must_use]
    pub fn goes_by(&self, wishes: Wishes) -> (bool, bool) {
        let wanted = wishes.en_route || !self.is_on_the_way();
        (wanted && wishes.email, wanted && wishes.sms && self.kind != Kind::Message)
    }

    /// After which nobody needs to know any more.
    #[must_use]
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        match (self.kind, self.change.as_str()) {
            (Kind::Appointment, "en_route" | "eta" | "on_site") => {
                Some(self.created_at + ON_THE_WAY)
            }
            (Kind::Appointment, "scheduled" | "moved") => self.window_end,
            _ => None,
        }
    }

    /// None for what is no news.
    #[must_use]
    pub fn text(&self) -> Option<Text> {
        let visit = self.service.as_deref().unwrap_or("visit");
        let at = self.window.as_deref().map(|at| format!(" {at}")).unwrap_or_default();
        let (subject, sentence) = match (self.kind, self.change.as_str()) {
            (Kind::Booking, "submitted") => (
                "We have your request",
                format!("We have your request for {visit} and will get back to you."),
            ),
            (Kind::Booking, "under_review") => (
                "We are looking at your request",
                format!("We are looking at your request for {visit}."),
            ),
            (Kind::Booking, "approved") => (
                "Your request is approved",
                format!("Your request for {visit} is approved. We will tell you the time."),
            ),
            (Kind::Booking, "rejected") => (
                "We cannot do this",
                format!(
                    "We cannot take your request for {visit}. The portal says why; write to us there."
                ),
            ),
            (Kind::Booking, "canceled_by_customer") => {
                ("Your request is canceled", format!("Your request for {visit} is canceled."))
            }
            (Kind::Appointment, "scheduled") => {
                ("Your appointment", format!("Your appointment ({visit}) is{at}."))
            }
            (Kind::Appointment, "moved") => {
                ("Your appointment has moved", format!("Your appointment ({visit}) is now{at}."))
            }
            (Kind::Appointment, "en_route") => {
                let eta = self.eta.as_deref().map(|eta| format!(", expected {eta}"));
                (
                    "Your technician is on the way",
                    format!("Your technician is on the way{}.", eta.unwrap_or_default()),
                )
            }
            (Kind::Appointment, "eta") => {
                let eta = self.eta.as_deref()?;
                ("New time of arrival", format!("Your technician is now expected {eta}."))
            }
            (Kind::Appointment, "on_site") => {
                ("Your technician is there", format!("Your technician has arrived ({visit})."))
            }
            (Kind::Appointment, "completed") => (
                "Your visit is done",
                format!("Your visit ({visit}) is done. The portal has what was noted."),
            ),
            (Kind::Appointment, "canceled") => (
                "Your appointment is canceled",
                format!("Your appointment ({visit}){at} is canceled."),
            ),
            (Kind::Message, _) => {
                let about = self.subject.as_deref().unwrap_or("your message");
                (
                    "You have a new message",
                    format!("There is a new message for you in the portal: {about}"),
                )
            }
            _ => return None,
        };
        let name = self.org_name.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(Text {
            subject: format!("{subject} - {name}"),
            sentence: format!("{sentence}\n{name}"),
        })
    }
}

impl Text {
    /// The body of an e-mail is HTML, and names are what somebody typed.
    #[must_use]
    pub fn html(&self) -> String {
        let lines: Vec<_> =
            self.sentence.lines().map(|line| HtmlEscape(line).to_string()).collect();
        lines.join("<br><br>\n")
    }

    /// A text message is one line.
    #[must_use]
    pub fn sms(&self) -> String {
        self.sentence.replace('\n', " - ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(kind: Kind, change: &str) -> Notice {
        Notice {
            id: Uuid::nil(),
            kind,
            change: change.to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            org_name: "Volt & <Co>".to_owned(),
            service: Some("HVAC repair".to_owned()),
            window: Some("on 2026-12-01 from 09:00 to 11:00".to_owned()),
            window_end: Some(DateTime::UNIX_EPOCH + Duration::days(1)),
            eta: Some("at 09:40".to_owned()),
            subject: None,
        }
    }

    #[test]
    fn every_change_that_customers_hear_of_has_its_words() {
        for (kind, changes) in [
            (
                Kind::Booking,
                &["submitted", "under_review", "approved", "rejected", "canceled_by_customer"][..],
            ),
            (
                Kind::Appointment,
                &["scheduled", "moved", "en_route", "eta", "on_site", "completed", "canceled"],
            ),
            (Kind::Message, &["message"]),
        ] {
            for change in changes {
                let text = notice(kind, change).text().unwrap();
                assert!(!text.sms().contains('\n') && text.subject.len() < 100, "{text:?}");
            }
        }
        assert_eq!(notice(Kind::Booking, "scheduled").text(), None, "the visit says it");
    }

    #[test]
    fn what_somebody_typed_is_no_markup() {
        let mut message = notice(Kind::Message, "message");
        message.subject = Some("<img src=x>".to_owned());
        let html = message.text().unwrap().html();
        assert!(
            html.contains("&lt;img src=x&gt;") && html.contains("Volt &amp; &lt;Co&gt;"),
            "{html}"
        );
    }

    #[test]
    fn who_does_not_want_to_hear_of_the_way_hears_of_the_rest() {
        let wishes = Wishes { en_route: false, ..Wishes::default() };
        assert_eq!(notice(Kind::Appointment, "en_route").goes_by(wishes), (false, false));
        assert_eq!(notice(Kind::Appointment, "moved").goes_by(wishes), (true, true));
        let quiet = Wishes { sms: false, ..Wishes::default() };
        assert_eq!(notice(Kind::Booking, "approved").goes_by(quiet), (true, false));
        assert_eq!(notice(Kind::Message, "message").goes_by(Wishes::default()), (true, false));
    }

    #[test]
    fn the_way_matters_for_some_hours_and_a_time_until_it_is_past() {
        let end = |change| notice(Kind::Appointment, change).expires_at();
        assert_eq!(end("en_route"), Some(DateTime::UNIX_EPOCH + ON_THE_WAY));
        assert_eq!(end("moved"), Some(DateTime::UNIX_EPOCH + Duration::days(1)));
        assert_eq!(end("canceled"), None);
    }
}
