//! What a rule can name: fields, related entities, and the SQL of each. The only way to a column.

use super::operator::Operator;

/// The type of a field, which decides its operators and how its values are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Text with a closed list; with the SQL type where the column is an enum.
    Enum(&'static [&'static str], Option<&'static str>),
    Number,
    Boolean,
    Timestamp,
    Date,
    Uuid,
    /// The tags of the customer.
    Tags,
    /// The segments the customer is in.
    Segment,
}

impl Kind {
    /// The name clients see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Enum(..) => "enum",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Uuid => "uuid",
            Self::Tags => "set",
            Self::Segment => "segment",
        }
    }

    /// Every kind, for what is generated and tested for each.
    pub const ALL: &'static [Self] = &[
        Self::Text,
        Self::Enum(&[], None),
        Self::Number,
        Self::Boolean,
        Self::Timestamp,
        Self::Date,
        Self::Uuid,
        Self::Tags,
        Self::Segment,
    ];

    #[must_use]
    pub const fn operators(self) -> &'static [Operator] {
        use Operator as O;
        match self {
            Self::Text => &[
                O::Equal,
                O::NotEqual,
                O::Less,
                O::Greater,
                O::LessOrEqual,
                O::GreaterOrEqual,
                O::Contains,
                O::BeginsWith,
                O::EndsWith,
                O::DoesNotContain,
                O::DoesNotBeginWith,
                O::DoesNotEndWith,
                O::Null,
                O::NotNull,
                O::In,
                O::NotIn,
                O::Between,
                O::NotBetween,
            ],
            Self::Enum(..) | Self::Uuid => {
                &[O::Equal, O::NotEqual, O::In, O::NotIn, O::Null, O::NotNull]
            }
            Self::Number => &[
                O::Equal,
                O::NotEqual,
                O::Less,
                O::Greater,
                O::LessOrEqual,
                O::GreaterOrEqual,
                O::Null,
                O::NotNull,
                O::In,
                O::NotIn,
                O::Between,
                O::NotBetween,
            ],
            Self::Boolean => &[O::Equal, O::NotEqual, O::Null, O::NotNull],
            Self::Timestamp | Self::Date => &[
                O::Equal,
                O::NotEqual,
                O::Less,
                O::Greater,
                O::LessOrEqual,
                O::GreaterOrEqual,
                O::Null,
                O::NotNull,
                O::In,
                O::NotIn,
                O::Between,
                O::NotBetween,
                O::WithinLast,
                O::WithinNext,
                O::OlderThan,
            ],
            Self::Tags => &[
                O::ContainsAny,
                O::ContainsAll,
                O::ContainsNone,
                O::In,
                O::NotIn,
                O::Null,
                O::NotNull,
            ],
            Self::Segment => &[O::In, O::NotIn],
        }
    }

    /// Whether two fields can be compared with each other.
    #[must_use]
    pub const fn is_like(self, other: Self) -> bool {
        use Kind as K;
        matches!(
            (self, other),
            (K::Text | K::Enum(..), K::Text | K::Enum(..))
                | (K::Number, K::Number)
                | (K::Timestamp | K::Date, K::Timestamp | K::Date)
                | (K::Boolean, K::Boolean)
                | (K::Uuid, K::Uuid)
        )
    }
}

/// One row a customer, joined only where a rule needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Join {
    Metrics,
    PrimaryLocation,
    Preferences,
    Product,
}

impl Join {
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Metrics => {
                "left join public.customer_metrics m on m.org_id = c.org_id and m.customer_id = c.id"
            }
            Self::PrimaryLocation => {
                "left join public.customer_locations l on l.org_id = c.org_id and l.customer_id = c.id and l.id = c.primary_location_id"
            }
            Self::Preferences => {
                "left join public.crm_preferences f on f.org_id = c.org_id and f.customer_id = c.id"
            }
            Self::Product => {
                "left join public.products d on d.org_id = c.org_id and d.id = c.product_id"
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub kind: Kind,
    pub(super) sql: &'static str,
    pub(super) join: Option<Join>,
    /// What it is for a customer without a row in the joined table.
    pub(super) absent: Option<&'static str>,
}

/// Rows of which a customer has any number.
#[derive(Debug, PartialEq, Eq)]
pub struct Entity {
    pub name: &'static str,
    pub label: &'static str,
    pub(super) table: &'static str,
    pub fields: &'static [Field],
}

impl Entity {
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A customer's field of that name.
#[must_use]
pub fn field(name: &str) -> Option<&'static Field> {
    CUSTOMER.iter().find(|field| field.name == name)
}

#[must_use]
pub fn entity(name: &str) -> Option<&'static Entity> {
    ENTITIES.iter().find(|entity| entity.name == name)
}

const fn of(name: &'static str, label: &'static str, kind: Kind, sql: &'static str) -> Field {
    Field { name, label, kind, sql, join: None, absent: None }
}

const fn joined(
    name: &'static str,
    label: &'static str,
    kind: Kind,
    sql: &'static str,
    join: Join,
    absent: Option<&'static str>,
) -> Field {
    Field { name, label, kind, sql, join: Some(join), absent }
}

const fn figure(name: &'static str, label: &'static str, sql: &'static str) -> Field {
    joined(name, label, Kind::Number, sql, Join::Metrics, Some("0"))
}

const fn wish(name: &'static str, label: &'static str, sql: &'static str) -> Field {
    joined(name, label, Kind::Boolean, sql, Join::Preferences, Some("false"))
}

const fn place(name: &'static str, label: &'static str, sql: &'static str) -> Field {
    joined(name, label, Kind::Text, sql, Join::PrimaryLocation, None)
}

const TYPE: Kind = Kind::Enum(&["individual", "company"], Some("public.customer_type"));
const STATUS: Kind =
    Kind::Enum(&["active", "prospect", "inactive", "blacklisted"], Some("public.customer_status"));
const LIFECYCLE: Kind = Kind::Enum(
    &["lead", "opportunity", "customer", "former_customer"],
    Some("public.lifecycle_stage"),
);
const PIPELINE: Kind = Kind::Enum(
    &["lead", "qualified", "proposal", "negotiation", "closed_won", "closed_lost"],
    None,
);
const LOCATION_TYPE: Kind =
    Kind::Enum(&["billing", "service", "both"], Some("public.location_type"));
const CONTACT_TYPE: Kind = Kind::Enum(
    &["email", "mobile", "phone", "fax", "whatsapp", "telegram", "portal"],
    Some("public.contact_type"),
);
const CHANNEL: Kind = Kind::Enum(
    &[
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
    ],
    Some("public.interaction_channel"),
);
const DIRECTION: Kind =
    Kind::Enum(&["inbound", "outbound", "system_generated"], Some("public.interaction_direction"));
const SENTIMENT: Kind = Kind::Enum(&["positive", "neutral", "negative"], Some("public.sentiment"));
const WORK_ORDER_STATUS: Kind =
    Kind::Enum(&["scheduled", "en_route", "on_site", "completed", "canceled"], None);
const QUOTE_STATUS: Kind = Kind::Enum(&["draft", "sent", "accepted", "declined", "expired"], None);
const INVOICE_STATUS: Kind = Kind::Enum(&["draft", "sent", "paid", "void"], None);
const FOLLOWUP_STATUS: Kind =
    Kind::Enum(&["pending", "completed", "canceled", "expired"], Some("public.followup_status"));
const FOLLOWUP_PRIORITY: Kind =
    Kind::Enum(&["low", "medium", "high"], Some("public.followup_priority"));
const FOLLOWUP_ORIGIN: Kind =
    Kind::Enum(&["manual", "system_rule", "ai_recommendation"], Some("public.followup_origin"));

/// The fields of a customer.
pub static CUSTOMER: &[Field] = &[
    of("type", "type", TYPE, "c.type"),
    of("status", "status", STATUS, "c.status"),
    of("lifecycle_stage", "lifecycle stage", LIFECYCLE, "c.lifecycle_stage"),
    of("pipeline_stage", "pipeline stage", PIPELINE, "c.pipeline_stage"),
    of("name", "name", Kind::Text, "c.name"),
    of("first_name", "first name", Kind::Text, "c.first_name"),
    of("last_name", "last name", Kind::Text, "c.last_name"),
    of("company_name", "company name", Kind::Text, "c.company_name"),
    of("email", "e-mail", Kind::Text, "c.email"),
    of("phone", "phone", Kind::Text, "c.phone"),
    of("source", "source", Kind::Text, "c.source"),
    of("preferred_language", "preferred language", Kind::Text, "c.preferred_language"),
    of("notes", "notes", Kind::Text, "c.notes"),
    of("external_ref", "external reference", Kind::Text, "c.external_ref"),
    of("owner_id", "owner", Kind::Uuid, "c.owner_id"),
    of("product_id", "product id", Kind::Uuid, "c.product_id"),
    joined("product", "product", Kind::Text, "d.name", Join::Product, None),
    of("is_archived", "archived", Kind::Boolean, "c.is_archived"),
    of("created_at", "created", Kind::Timestamp, "c.created_at"),
    of("updated_at", "last changed", Kind::Timestamp, "c.updated_at"),
    place("city", "city", "l.city"),
    place("state", "state", "l.state"),
    place("postal_code", "postal code", "l.postal_code"),
    place("country", "country", "l.country"),
    wish("do_not_contact", "do not contact", "f.do_not_contact"),
    wish("do_not_email", "do not e-mail", "f.do_not_email"),
    wish("do_not_sms", "do not text", "f.do_not_sms"),
    wish("do_not_call", "do not call", "f.do_not_call"),
    figure("interactions_count", "number of interactions", "m.interactions_count"),
    figure("positive_count", "number of positive interactions", "m.positive_count"),
    figure("neutral_count", "number of neutral interactions", "m.neutral_count"),
    figure("negative_count", "number of negative interactions", "m.negative_count"),
    figure("jobs_count", "number of completed jobs", "m.jobs_count"),
    figure("open_jobs_count", "number of open jobs", "m.open_jobs_count"),
    figure("total_spend", "total spend", "m.total_spend"),
    figure("balance_due", "balance due", "m.balance_due"),
    joined(
        "last_interaction_at",
        "last interaction",
        Kind::Timestamp,
        "m.last_interaction_at",
        Join::Metrics,
        None,
    ),
    joined(
        "last_service_at",
        "last service",
        Kind::Timestamp,
        "m.last_service_at",
        Join::Metrics,
        None,
    ),
    of("tags", "tags", Kind::Tags, ""),
    of("segment", "segment", Kind::Segment, ""),
];

/// What belongs to a customer in any number.
pub static ENTITIES: &[Entity] = &[
    Entity {
        name: "locations",
        label: "locations",
        table: "public.customer_locations",
        fields: &[
            of("label", "label", Kind::Text, "x.label"),
            of("type", "type", LOCATION_TYPE, "x.type"),
            of("city", "city", Kind::Text, "x.city"),
            of("state", "state", Kind::Text, "x.state"),
            of("postal_code", "postal code", Kind::Text, "x.postal_code"),
            of("country", "country", Kind::Text, "x.country"),
            of("is_primary", "primary", Kind::Boolean, "x.is_primary"),
            of("latitude", "latitude", Kind::Number, "x.latitude"),
            of("longitude", "longitude", Kind::Number, "x.longitude"),
            of("created_at", "created", Kind::Timestamp, "x.created_at"),
        ],
    },
    Entity {
        name: "contacts",
        label: "contacts",
        table: "public.customer_contacts",
        fields: &[
            of("type", "type", CONTACT_TYPE, "x.type"),
            of("value", "value", Kind::Text, "x.value"),
            of("is_primary", "primary", Kind::Boolean, "x.is_primary"),
            of("is_verified", "verified", Kind::Boolean, "x.is_verified"),
            of("opt_in_marketing", "opted in to marketing", Kind::Boolean, "x.opt_in_marketing"),
            of(
                "opt_in_transactional",
                "opted in to transactional messages",
                Kind::Boolean,
                "x.opt_in_transactional",
            ),
            of("preferred_channel", "preferred channel", Kind::Boolean, "x.preferred_channel"),
            of("created_at", "created", Kind::Timestamp, "x.created_at"),
        ],
    },
    Entity {
        name: "interactions",
        label: "interactions",
        table: "public.crm_interactions",
        fields: &[
            of("channel", "channel", CHANNEL, "x.channel"),
            of("direction", "direction", DIRECTION, "x.direction"),
            of("type", "type", Kind::Text, "x.type"),
            of("subject", "subject", Kind::Text, "x.subject"),
            of("sentiment", "sentiment", SENTIMENT, "x.sentiment"),
            of("occurred_at", "occurred", Kind::Timestamp, "x.occurred_at"),
            of("created_at", "logged", Kind::Timestamp, "x.created_at"),
            of("created_by_user_id", "logged by", Kind::Uuid, "x.created_by_user_id"),
        ],
    },
    Entity {
        name: "work_orders",
        label: "work orders",
        table: "public.work_orders",
        fields: &[
            of("status", "status", WORK_ORDER_STATUS, "x.status"),
            of("service_type", "service type", Kind::Text, "x.service_type"),
            of("title", "title", Kind::Text, "x.title"),
            of("technician_id", "technician", Kind::Uuid, "x.technician_id"),
            of("window_start", "start of the visit", Kind::Timestamp, "x.window_start"),
            of("window_end", "end of the visit", Kind::Timestamp, "x.window_end"),
            of("started_at", "started", Kind::Timestamp, "x.started_at"),
            of("completed_at", "completed", Kind::Timestamp, "x.completed_at"),
            of("canceled_at", "canceled", Kind::Timestamp, "x.canceled_at"),
            of("created_at", "created", Kind::Timestamp, "x.created_at"),
        ],
    },
    Entity {
        name: "quotes",
        label: "quotes",
        table: "public.quotes",
        fields: &[
            of("status", "status", QUOTE_STATUS, "x.status"),
            of("total", "total", Kind::Number, "x.total"),
            of("valid_until", "valid until", Kind::Date, "x.valid_until"),
            of("sent_at", "sent", Kind::Timestamp, "x.sent_at"),
            of("decided_at", "decided", Kind::Timestamp, "x.decided_at"),
            of("created_at", "created", Kind::Timestamp, "x.created_at"),
        ],
    },
    Entity {
        name: "invoices",
        label: "invoices",
        table: "public.invoices",
        fields: &[
            of("status", "status", INVOICE_STATUS, "x.status"),
            of("total", "total", Kind::Number, "x.total"),
            of("amount_paid", "amount paid", Kind::Number, "x.amount_paid"),
            of("issued_at", "issued", Kind::Timestamp, "x.issued_at"),
            of("due_at", "due", Kind::Timestamp, "x.due_at"),
            of("paid_at", "paid", Kind::Timestamp, "x.paid_at"),
            of("created_at", "created", Kind::Timestamp, "x.created_at"),
        ],
    },
    Entity {
        name: "followups",
        label: "follow-ups",
        table: "public.crm_followups",
        fields: &[
            of("status", "status", FOLLOWUP_STATUS, "x.status"),
            of("priority", "priority", FOLLOWUP_PRIORITY, "x.priority"),
            of("origin", "origin", FOLLOWUP_ORIGIN, "x.origin"),
            of("due_at", "due", Kind::Timestamp, "x.due_at"),
            of("completed_at", "completed", Kind::Timestamp, "x.completed_at"),
            of("assigned_to_user_id", "assigned to", Kind::Uuid, "x.assigned_to_user_id"),
            of("created_at", "created", Kind::Timestamp, "x.created_at"),
        ],
    },
];
