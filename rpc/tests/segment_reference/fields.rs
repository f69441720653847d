//! What the language lists: the fields of customers and of what belongs to them, and the operators of each type.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Text,
    Enum(&'static [&'static str]),
    Number,
    Boolean,
    Timestamp,
    Date,
    Uuid,
    Set,
    Segment,
}

pub type Fields = &'static [(&'static str, Type)];

use Type::{Boolean, Date, Enum, Number, Segment, Set, Text, Timestamp, Uuid};

pub const CUSTOMER: Fields = &[
    ("type", Enum(&["individual", "company"])),
    ("status", Enum(&["active", "prospect", "inactive", "blacklisted"])),
    ("lifecycle_stage", Enum(&["lead", "opportunity", "customer", "former_customer"])),
    (
        "pipeline_stage",
        Enum(&["lead", "qualified", "proposal", "negotiation", "closed_won", "closed_lost"]),
    ),
    ("name", Text),
    ("first_name", Text),
    ("last_name", Text),
    ("company_name", Text),
    ("email", Text),
    ("phone", Text),
    ("source", Text),
    ("preferred_language", Text),
    ("notes", Text),
    ("external_ref", Text),
    ("owner_id", Uuid),
    ("product_id", Uuid),
    ("product", Text),
    ("is_archived", Boolean),
    ("created_at", Timestamp),
    ("updated_at", Timestamp),
    ("city", Text),
    ("state", Text),
    ("postal_code", Text),
    ("country", Text),
    ("do_not_contact", Boolean),
    ("do_not_email", Boolean),
    ("do_not_sms", Boolean),
    ("do_not_call", Boolean),
    ("interactions_count", Number),
    ("positive_count", Number),
    ("neutral_count", Number),
    ("negative_count", Number),
    ("jobs_count", Number),
    ("open_jobs_count", Number),
    ("total_spend", Number),
    ("balance_due", Number),
    ("last_interaction_at", Timestamp),
    ("last_service_at", Timestamp),
    ("tags", Set),
    ("segment", Segment),
];

/// The fields that come from the primary location, from preferences and from metrics.
pub const PLACE: [&str; 4] = ["city", "state", "postal_code", "country"];
pub const WISHES: [&str; 4] = ["do_not_contact", "do_not_email", "do_not_sms", "do_not_call"];
pub const FIGURES: [&str; 8] = [
    "interactions_count",
    "positive_count",
    "neutral_count",
    "negative_count",
    "jobs_count",
    "open_jobs_count",
    "total_spend",
    "balance_due",
];

/// Name, table, fields.
pub const ENTITIES: &[(&str, &str, Fields)] = &[
    (
        "locations",
        "customer_locations",
        &[
            ("label", Text),
            ("type", Enum(&["billing", "service", "both"])),
            ("city", Text),
            ("state", Text),
            ("postal_code", Text),
            ("country", Text),
            ("is_primary", Boolean),
            ("latitude", Number),
            ("longitude", Number),
            ("created_at", Timestamp),
        ],
    ),
    (
        "contacts",
        "customer_contacts",
        &[
            ("type", Enum(&["email", "mobile", "phone", "fax", "whatsapp", "telegram", "portal"])),
            ("value", Text),
            ("is_primary", Boolean),
            ("is_verified", Boolean),
            ("opt_in_marketing", Boolean),
            ("opt_in_transactional", Boolean),
            ("preferred_channel", Boolean),
            ("created_at", Timestamp),
        ],
    ),
    (
        "interactions",
        "crm_interactions",
        &[
            (
                "channel",
                Enum(&[
                    "phone_inbound",
                    "phone_outbound",
                    "email_inbound",
                    "email_outbound",
                    "sms_inbound",
                    "sms_outbound",
                    "portal_message",
                    "note",
                    "in_person",
                    "phone",
                    "email",
                    "meeting",
                    "chat",
                    "other",
                    "whatsapp_inbound",
                    "whatsapp_outbound",
                ]),
            ),
            ("direction", Enum(&["inbound", "outbound", "system_generated"])),
            ("type", Text),
            ("subject", Text),
            ("sentiment", Enum(&["positive", "neutral", "negative"])),
            ("occurred_at", Timestamp),
            ("created_at", Timestamp),
            ("created_by_user_id", Uuid),
        ],
    ),
    (
        "work_orders",
        "work_orders",
        &[
            ("status", Enum(&["scheduled", "en_route", "on_site", "completed", "canceled"])),
            ("service_type", Text),
            ("title", Text),
            ("technician_id", Uuid),
            ("window_start", Timestamp),
            ("window_end", Timestamp),
            ("started_at", Timestamp),
            ("completed_at", Timestamp),
            ("canceled_at", Timestamp),
            ("created_at", Timestamp),
        ],
    ),
    (
        "quotes",
        "quotes",
        &[
            ("status", Enum(&["draft", "sent", "accepted", "declined", "expired"])),
            ("total", Number),
            ("valid_until", Date),
            ("sent_at", Timestamp),
            ("decided_at", Timestamp),
            ("created_at", Timestamp),
        ],
    ),
    (
        "invoices",
        "invoices",
        &[
            ("status", Enum(&["draft", "sent", "paid", "void"])),
            ("total", Number),
            ("amount_paid", Number),
            ("issued_at", Timestamp),
            ("due_at", Timestamp),
            ("paid_at", Timestamp),
            ("created_at", Timestamp),
        ],
    ),
    (
        "followups",
        "crm_followups",
        &[
            ("status", Enum(&["pending", "completed", "canceled", "expired"])),
            ("priority", Enum(&["low", "medium", "high"])),
            ("origin", Enum(&["manual", "system_rule", "ai_recommendation"])),
            ("due_at", Timestamp),
            ("completed_at", Timestamp),
            ("assigned_to_user_id", Uuid),
            ("created_at", Timestamp),
        ],
    ),
];

pub fn entity(name: &str) -> Option<Fields> {
    ENTITIES.iter().find(|(known, ..)| *known == name).map(|(.., fields)| *fields)
}

pub fn field(fields: Fields, name: &str) -> Option<Type> {
    fields.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

impl Type {
    pub const fn operators(self) -> &'static [&'static str] {
        match self {
            Text => &[
                "=",
                "!=",
                "<",
                ">",
                "<=",
                ">=",
                "contains",
                "beginsWith",
                "endsWith",
                "doesNotContain",
                "doesNotBeginWith",
                "doesNotEndWith",
                "null",
                "notNull",
                "in",
                "notIn",
                "between",
                "notBetween",
            ],
            Enum(_) | Uuid => &["=", "!=", "in", "notIn", "null", "notNull"],
            Number => &[
                "=",
                "!=",
                "<",
                ">",
                "<=",
                ">=",
                "null",
                "notNull",
                "in",
                "notIn",
                "between",
                "notBetween",
            ],
            Boolean => &["=", "!=", "null", "notNull"],
            Timestamp | Date => &[
                "=",
                "!=",
                "<",
                ">",
                "<=",
                ">=",
                "null",
                "notNull",
                "in",
                "notIn",
                "between",
                "notBetween",
                "withinLast",
                "withinNext",
                "olderThan",
            ],
            Set => {
                &["containsAny", "containsAll", "containsNone", "in", "notIn", "null", "notNull"]
            }
            Segment => &["in", "notIn"],
        }
    }

    /// Whether the value may be a field of that type.
    pub const fn is_like(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Text | Enum(_), Text | Enum(_))
                | (Number, Number)
                | (Timestamp | Date, Timestamp | Date)
                | (Boolean, Boolean)
                | (Uuid, Uuid)
        )
    }
}
